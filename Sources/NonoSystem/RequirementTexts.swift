// SPDX-License-Identifier: Apache-2.0

// What is told about the requirements of a program: as JSON, as an error, and as the reason for a failed exec.

internal import CNono
public import NonoCore

extension ProgramRequirements {
    /// The items with their reasons.
    public var json: [UInt8] {
        var json: [UInt8] = []
        for item in items {
            JSONText.append(json.isEmpty ? "[{\"path\":" : ",{\"path\":", to: &json)
            JSONText.appendQuoted(item.target.path.textBytes, to: &json)
            JSONText.append(
                item.target.identity.isDirectory ? ",\"is_file\":false,\"kind\":\"" : ",\"is_file\":true,\"kind\":\"",
                to: &json)
            JSONText.append(item.kind.name, to: &json)
            JSONText.append("\",\"name\":", to: &json)
            JSONText.appendQuoted(item.name.textBytes, to: &json)
            JSONText.append(",\"needed_by\":", to: &json)
            JSONText.appendQuoted(item.neededBy.textBytes, to: &json)
            JSONText.append("}", to: &json)
        }
        JSONText.append("]", to: &json)
        return json
    }

    /// Why the list is not complete; nil if it is.
    public var failure: NonoError? {
        guard let problem else { return nil }
        var text: [UInt8] = []
        JSONText.append("Cannot start ", to: &text)
        text += program.textBytes
        JSONText.append(": ", to: &text)
        appendProblem(to: &text)
        return NonoError(
            problem.kind.isAbsence ? .pathNotFound : .pathCanonicalization, String(decoding: text, as: UTF8.self),
            diagnostic: .configurationError, osError: problem.kind.osError, path: problem.object)
    }

    /// One line that says why a program could not be started in a sandbox of the set: what it needs and is not granted,
    /// or what is missing. `osError` is what execve(2) failed with; 0 if the program did start, and its loader failed.
    public func explanation(osError: Int32, caps: CapabilitySet) -> [UInt8] {
        var text: [UInt8] = []
        JSONText.append("cannot execute ", to: &text)
        text += program.textBytes
        JSONText.append(": ", to: &text)
        if let item = firstDenied(in: caps, withLibraries: osError == 0) {
            append(item.kind, item.name, to: &text)
            JSONText.append(" is not granted for reading; grant ", to: &text)
            text += item.target.path.textBytes
        } else if problem != nil {
            appendProblem(to: &text)
        } else if osError == EACCES {
            appendRefusal(to: &text)
        } else if osError == 0 {
            JSONText.append("all that it needs is there and granted", to: &text)
        } else {
            text += Array(systemErrorText(osError).utf8)
        }
        return text
    }

    /// What the kernel itself opens comes first; libraries are the loader's.
    private func firstDenied(in caps: CapabilitySet, withLibraries: Bool) -> Item? {
        var library: Item?
        for item in items where caps.coverage(of: item.target.path).firstRead == nil {
            if item.kind.isOpenedByKernel {
                return item
            }
            library = library ?? item
        }
        return withLibraries ? library : nil
    }

    private func appendRefusal(to text: inout [UInt8]) {
        for item in items where item.kind.isOpenedByKernel {
            if !item.target.path.withCString({ nono_sys_is_program($0) }) {
                append(item.kind, item.name, to: &text)
                JSONText.append(" has no permission to be executed", to: &text)
                return
            }
        }
        JSONText.append("all that it needs is granted; a directory on the way or a mount option refuses it", to: &text)
    }

    /// The role of an object, and its name unless it is the program.
    @inline(never)
    private func append(_ kind: Kind, _ name: Path, to text: inout [UInt8]) {
        guard kind != .program else { return JSONText.append("it", to: &text) }
        JSONText.append("its ", to: &text)
        JSONText.append(kind.words, to: &text)
        JSONText.append(" ", to: &text)
        text += name.textBytes
    }

    private func appendProblem(to text: inout [UInt8]) {
        guard let problem else { return }
        append(problem.role, problem.object, to: &text)
        JSONText.append(problem.kind.words, to: &text)
        if problem.neededBy != program && problem.neededBy != problem.object {
            JSONText.append(", needed by ", to: &text)
            text += problem.neededBy.textBytes
        }
    }
}

extension ProgramRequirements.Kind {
    fileprivate var name: StaticString {
        switch self {
        case .program: "program"
        case .interpreter: "interpreter"
        case .loader: "loader"
        case .loaderFile: "loader_file"
        case .library: "library"
        case .pythonLibrary: "python_library"
        }
    }

    fileprivate var words: StaticString {
        switch self {
        case .loaderFile: "loader's file"
        case .pythonLibrary: "Python library"
        default: name
        }
    }

    fileprivate var isOpenedByKernel: Bool { self == .program || self == .interpreter || self == .loader }
}

extension ProgramRequirements.Problem.Kind {
    fileprivate var words: StaticString {
        switch self {
        case .notInSearchPath: " is not in the search path"
        case .notThere: " does not exist"
        case .notRegular: " is not a regular file"
        case .unreadable: " cannot be read"
        case .noProgram: " is neither a 64-bit ELF program nor a script with #! in front"
        case .tooManyScripts: " is one script too many: each is the interpreter of another"
        case .noLibrary: " is in none of the directories of the dynamic loader"
        case .tooManyObjects: " needs more files than any program does"
        }
    }

    fileprivate var isAbsence: Bool { self == .notInSearchPath || self == .notThere || self == .noLibrary }

    fileprivate var osError: Int32 {
        switch self {
        case .notInSearchPath, .notThere, .noLibrary: ENOENT
        case .notRegular, .unreadable: EACCES
        case .noProgram: ENOEXEC
        case .tooManyScripts: ELOOP
        case .tooManyObjects: E2BIG
        }
    }
}
