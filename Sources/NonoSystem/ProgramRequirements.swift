// SPDX-License-Identifier: Apache-2.0

internal import CNono
public import NonoCore

/// What has to be readable for a program to start: itself, the interpreters that its `#!` lines name, the dynamic
/// loader, and the libraries, as the loader would find them without LD_LIBRARY_PATH. For CPython its own library too.
///
/// Files are read, and nothing is run: the program may be anything.
public struct ProgramRequirements {
    public enum Kind: Sendable {
        case program
        case interpreter
        case loader
        /// The loader's own files: its cache, its list of libraries for every program.
        case loaderFile
        case library
        /// The standard library of Python and what it is found by.
        case pythonLibrary
    }

    public struct Item: Sendable {
        /// As whatever needs it names it.
        public let name: Path
        public let target: ResolvedPath
        public let kind: Kind
        /// What needs it; the program itself for the program.
        public let neededBy: Path
    }

    /// Why there is no more.
    struct Problem {
        enum Kind {
            case notInSearchPath
            case notThere
            case notRegular
            case unreadable
            case noProgram
            case tooManyScripts
            case noLibrary
            case tooManyObjects
        }

        let kind: Kind
        let object: Path
        let role: ProgramRequirements.Kind
        let neededBy: Path
    }

    /// The program as it was asked for.
    public let program: Path
    /// In the order in which they are needed, each object once.
    public private(set) var items: [Item] = []
    private(set) var problem: Problem?
    private let searchPath: [UInt8]?
    private var places: [[UInt8]: Int] = [:]

    /// More objects than this are no program of this world.
    private static let maximumItems = 8192
    /// The kernel follows as many `#!` lines.
    private static let maximumScripts = 5
    /// The kernel reads as much of a `#!` line.
    private static let longestLine = 256

    /// `program` is a path, or a name without a slash that is looked up in the directories of `searchPath`,
    /// or else of PATH.
    public init(of program: Path, searchPath: [UInt8]?) {
        self.program = program
        self.searchPath = searchPath
        if let path = find(program) {
            addProgram(path, as: .program, neededBy: path, depth: 0)
        } else {
            fail(.notInSearchPath, program, .program, neededBy: program)
        }
    }

    /// Grants all of it for reading, which is executing too.
    public func grant(in caps: inout CapabilitySet) {
        for item in items {
            caps.add(Grant(of: item.name, resolvedTo: item.target, access: .read, source: .system))
        }
    }

    /// Adds an object, and tells whether it is a new one.
    @discardableResult @inline(never)
    mutating func add(_ name: Path, _ target: ResolvedPath, _ kind: Kind, neededBy: Path) -> Bool {
        if places[target.path.bytes] != nil {
            return false
        }
        guard items.count < ProgramRequirements.maximumItems else {
            fail(.tooManyObjects, name, kind, neededBy: neededBy)
            return false
        }
        places[target.path.bytes] = items.count
        items.append(Item(name: name, target: target, kind: kind, neededBy: neededBy))
        return true
    }

    /// Adds an object if it is there.
    @discardableResult @inline(never)
    mutating func addIfThere(_ name: Path, _ kind: Kind, neededBy: Path) -> ResolvedPath? {
        guard let target = lookUp(name) else { return nil }
        add(name, target, kind, neededBy: neededBy)
        return target
    }

    /// Keeps the first problem.
    @inline(never)
    mutating func fail(_ kind: Problem.Kind, _ object: Path, _ role: Kind, neededBy: Path) {
        if problem == nil {
            problem = Problem(kind: kind, object: object, role: role, neededBy: neededBy)
        }
    }

    private mutating func addProgram(_ path: Path, as kind: Kind, neededBy: Path, depth: Int) {
        guard let target = lookUp(path) else { return fail(.notThere, path, kind, neededBy: neededBy) }
        guard target.identity.isRegular else { return fail(.notRegular, path, kind, neededBy: neededBy) }
        add(path, target, kind, neededBy: neededBy)
        guard let file = RegularFile(target) else { return fail(.unreadable, path, kind, neededBy: neededBy) }
        if let script = InterpreterLine(file.read(at: 0, ProgramRequirements.longestLine)) {
            guard depth < ProgramRequirements.maximumScripts else {
                return fail(.tooManyScripts, path, kind, neededBy: neededBy)
            }
            addProgram(Path(script.interpreter), as: .interpreter, neededBy: path, depth: depth + 1)
            guard let name = script.environmentProgram else { return }
            if let found = find(Path(name)) {
                addProgram(found, as: .interpreter, neededBy: path, depth: depth + 1)
            } else {
                fail(.notInSearchPath, Path(name), .interpreter, neededBy: path)
            }
            return
        }
        guard let image = file.image else { return fail(.noProgram, path, kind, neededBy: neededBy) }
        var libraries = LibrarySearch(program: target.path, image)
        if let interpreter = image.interpreter {
            let loader = Path(interpreter)
            if addIfThere(loader, .loader, neededBy: path) == nil {
                return fail(.notThere, loader, .loader, neededBy: path)
            }
            libraries.addAll(to: &self)
        }
        if problem == nil {
            addPython(path, target.path, image, &libraries)
        }
    }

    /// What a name without a slash stands for; other paths stand for themselves.
    @inline(never)
    private func find(_ name: Path) -> Path? {
        name.bytes.contains(Path.slash) ? name : try? findProgram(name, searchPath: searchPath)
    }
}

/// The first line of a script: `#!interpreter`, and at most one argument.
struct InterpreterLine {
    let interpreter: [UInt8]
    /// What `#!/usr/bin/env NAME` starts, or `env -S NAME ARGUMENT...`.
    private(set) var environmentProgram: [UInt8]?

    init?(_ start: [UInt8]) {
        guard isText("#!", in: start, at: 0) else { return nil }
        var line: [UInt8] = []
        for byte in start[2...] {
            if byte == UInt8(ascii: "\n") || byte == 0 {
                break
            }
            line.append(byte)
        }
        let words = split(line, at: " \t\r")
        guard let first = words.first else { return nil }
        interpreter = first
        guard first.count >= 4, isText("/env", in: first, at: first.count - 4) else { return }
        // Options, and assignments such as A=b, come before the name.
        for word in words[1...] where word[0] != UInt8(ascii: "-") && !word.contains(UInt8(ascii: "=")) {
            environmentProgram = word
            return
        }
    }
}
