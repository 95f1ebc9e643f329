// SPDX-License-Identifier: Apache-2.0

internal import CNono
internal import NonoCore

/// Finds shared libraries where the dynamic loader would, ld.so(8): glibc's or musl's.
struct LibrarySearch {
    private struct Object {
        /// As it was found: the loader does not follow links for `$ORIGIN`, but for that of the program.
        let path: Path
        let image: ELFImage
        /// Which object needed it first.
        let parent: Int
        /// Whether the program starts without what this one needs.
        let isOptional: Bool
    }

    private let machine: UInt16
    private let isMusl: Bool
    private var objects: [Object]
    /// The next object whose libraries are to be found.
    private var next = 0
    /// Names that were looked up: the loader does it once for each.
    private var known: [[UInt8]: Int] = [:]
    /// How many paths may still be tried: a file that names more is made to keep somebody busy.
    private var attemptsLeft = 65536
    private var cache = LoaderCache([])
    /// The loader's own directories.
    private var defaults: [[UInt8]] = []

    init(program: Path, _ image: ELFImage) {
        machine = image.machine
        isMusl = isText("ld-musl-", in: Path(image.interpreter ?? []).name, at: 0)
        objects = [Object(path: program, image: image, parent: -1, isOptional: false)]
    }

    /// Adds the loader's own files, and all libraries of the program and of its libraries.
    mutating func addAll(to requirements: inout ProgramRequirements) {
        defaults = split(Path(defaultDirectories).bytes, at: ":")
        if isMusl {
            let file =
                machine == ELFImage.aarch64 ? "/etc/ld-musl-aarch64.path" : "/etc/ld-musl-x86_64.path" as StaticString
            let directories = split(contents(of: file, to: &requirements), at: ":\n")
            defaults = directories.isEmpty ? defaults : directories
        } else {
            cache = LoaderCache(contents(of: "/etc/ld.so.cache", to: &requirements))
            // The loader goes on without those that it does not find.
            for name in split(contents(of: "/etc/ld.so.preload", to: &requirements), at: ": \t\n") {
                _ = load(name, for: 0, to: &requirements)
            }
        }
        addPending(to: &requirements)
    }

    /// Adds what a module needs that is loaded later, as far as it is there.
    mutating func addLibraries(ofModule path: Path, to requirements: inout ProgramRequirements) {
        if let image = image(at: lookUp(path)) {
            objects.append(Object(path: path, image: image, parent: 0, isOptional: true))
            addPending(to: &requirements)
        }
    }

    @inline(never)
    private func contents(of file: StaticString, to requirements: inout ProgramRequirements) -> [UInt8] {
        guard let target = requirements.addIfThere(Path(file), .loaderFile, neededBy: objects[0].path) else {
            return []
        }
        return RegularFile.contents(of: target, upTo: LoaderCache.maximumSize)
    }

    private mutating func addPending(to requirements: inout ProgramRequirements) {
        while next < objects.count && attemptsLeft > 0 {
            let object = objects[next]
            for name in object.image.needed where !name.isEmpty && known[name] == nil && attemptsLeft > 0 {
                known[name] = next
                // musl's loader is libc too, by several names.
                if isMusl && isText("lib", in: name, at: 0)
                    && Alternatives("c.|pthread.|rt.|m.|dl.|util.|xnet.").length(in: name, at: 3) != nil
                {
                    continue
                }
                if !load(name, for: next, to: &requirements) && !object.isOptional {
                    return requirements.fail(.noLibrary, Path(name), .library, neededBy: object.path)
                }
            }
            next += 1
        }
    }

    /// Adds a library where the loader would find it. False if it would not.
    private mutating func load(_ name: [UInt8], for object: Int, to requirements: inout ProgramRequirements) -> Bool {
        if name.contains(Path.slash) {
            return take(expand(name, object), for: object, to: &requirements)
        }
        if takeFirst(of: name, in: directories(for: object), for: object, to: &requirements) {
            return true
        }
        // Which variant it takes depends on the processor, so all are needed.
        var isFound = false
        for path in cache.files(for: name, machine: machine) where take(path, for: object, to: &requirements) {
            isFound = true
        }
        return isFound
            || (!objects[object].image.omitsDefaults
                && takeFirst(of: name, in: defaults, for: object, to: &requirements))
    }

    @inline(never)
    private mutating func takeFirst(
        of name: [UInt8], in directories: [[UInt8]], for object: Int, to requirements: inout ProgramRequirements
    ) -> Bool {
        for directory in directories where take(join(Path(directory), name), for: object, to: &requirements) {
            return true
        }
        return false
    }

    @inline(never)
    private mutating func take(_ path: Path?, for object: Int, to requirements: inout ProgramRequirements) -> Bool {
        attemptsLeft -= 1
        guard attemptsLeft > 0 else {
            requirements.fail(.tooManyObjects, objects[0].path, .program, neededBy: objects[0].path)
            return true
        }
        guard let path, let target = lookUp(path), let image = image(at: target) else { return false }
        if requirements.add(path, target, .library, neededBy: objects[object].path) {
            objects.append(
                Object(path: path, image: image, parent: object, isOptional: objects[object].isOptional))
        }
        return true
    }

    /// The image of a library for the program's processor.
    private func image(at target: ResolvedPath?) -> ELFImage? {
        guard let target, let file = RegularFile(target), let image = file.image, image.machine == machine else {
            return nil
        }
        return image
    }

    /// The directories that the object and those above it name. An object with a RUNPATH has no RPATH for glibc; musl
    /// takes either, also of those above.
    private func directories(for object: Int) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var current = objects[object].image.runpath.isEmpty || isMusl ? object : -1
        while current >= 0 {
            let image = objects[current].image
            append(image.runpath.isEmpty ? image.rpath : isMusl ? image.runpath : [], current, to: &result)
            current = objects[current].parent
        }
        if !isMusl {
            append(objects[object].image.runpath, object, to: &result)
        }
        return result
    }

    @inline(never)
    private func append(_ list: [UInt8], _ object: Int, to result: inout [[UInt8]]) {
        for directory in split(list, at: ":") {
            if let path = expand(directory, object) {
                result.append(path.bytes)
            }
        }
    }

    private var defaultDirectories: StaticString {
        if isMusl {
            return "/lib:/usr/local/lib:/usr/lib"
        }
        return machine == ELFImage.aarch64
            ? "/lib/aarch64-linux-gnu:/usr/lib/aarch64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"
            : "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib"
    }

    /// The path with the directory of the object in the place of `$ORIGIN`. Nil for one with anything else like that.
    @inline(never)
    private func expand(_ text: [UInt8], _ object: Int) -> Path? {
        guard text[0] == UInt8(ascii: "$") else { return Path(text) }
        let length = isText("$ORIGIN", in: text, at: 0) ? 7 : isText("${ORIGIN}", in: text, at: 0) ? 9 : 0
        return length == 0 ? nil : Path(objects[object].path.parent.bytes + text[length...])
    }
}
