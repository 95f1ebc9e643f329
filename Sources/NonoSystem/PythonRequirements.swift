// SPDX-License-Identifier: Apache-2.0

internal import NonoCore

/// What CPython, and a program that it is part of, needs besides libraries: its standard library, with the modules in C and what these need, and the
/// virtual environment that it is started from.
///
/// It is looked for as the interpreter itself does: `pyvenv.cfg` beside it or above, and `lib/pythonX.Y/os.py` in one of
/// the directories above.
extension ProgramRequirements {
    mutating func addPython(_ path: Path, _ target: Path, _ image: ELFImage, _ libraries: inout LibrarySearch) {
        // Its version is in the name of the file that all others are links to, or in that of its library.
        var name = target.name
        for library in image.needed where isText("libpython3.", in: library, at: 0) {
            name = Path("python3.").bytes
            var place = name.count + 3
            while place < library.count && library[place] != UInt8(ascii: ".") {
                name.append(library[place])
                place += 1
            }
        }
        var names = [name]
        if !isText("python3.", in: name, at: 0) {
            guard isText("python", in: name, at: 0) || isText("python", in: path.name, at: 0) else { return }
            // Each that there is.
            names = []
            for minor in 8...29 as ClosedRange<UInt8> {
                let digits = minor < 10 ? [minor + 48] : [minor / 10 + 48, minor % 10 + 48]
                names.append(Path("python3.").bytes + digits)
            }
        }
        // Beside the name by which it is called, which is a link in a virtual environment.
        guard let beside = lookUp(path.parent)?.path else { return }
        var home = target.parent
        for directory in [beside, beside.parent] {
            let configuration = join(directory, "pyvenv.cfg")
            guard let found = addIfThere(configuration, .pythonLibrary, neededBy: path) else { continue }
            addLibrary(of: directory, names, path, &libraries)
            if let base = ProgramRequirements.home(in: RegularFile.contents(of: found, upTo: 65536)) {
                home = base
            }
            break
        }
        while !addLibrary(of: home, names, path, &libraries) && home != Path.root {
            home = home.parent
        }
    }

    /// Adds the library directories below a prefix, and tells whether a standard library is there.
    @discardableResult
    private mutating func addLibrary(
        of prefix: Path, _ names: [[UInt8]], _ program: Path, _ libraries: inout LibrarySearch
    ) -> Bool {
        var isStandard = false
        for name in names {
            isStandard = addLibrary(at: join(join(prefix, "lib"), name), program, &libraries) || isStandard
            isStandard = addLibrary(at: join(join(prefix, "lib64"), name), program, &libraries) || isStandard
        }
        if isStandard && prefix == Path("/usr") {
            // Where Debian puts modules.
            addIfThere(Path("/usr/lib/python3"), .pythonLibrary, neededBy: program)
            addLibrary(of: Path("/usr/local"), names, program, &libraries)
        }
        return isStandard
    }

    /// Adds one library directory with what its modules need, if it is there.
    @inline(never)
    private mutating func addLibrary(at directory: Path, _ program: Path, _ libraries: inout LibrarySearch) -> Bool {
        guard isDirectory(directory), let library = addIfThere(directory, .pythonLibrary, neededBy: program) else {
            return false
        }
        // Debian makes it a link to /etc.
        let custom = join(directory, "sitecustomize.py")
        if let target = lookUp(custom), !library.path.contains(target.path) {
            add(custom, target, .pythonLibrary, neededBy: program)
        }
        let modules = join(directory, "lib-dynload")
        if let target = lookUp(modules), target.identity.isDirectory {
            for module in namesInDirectory(target) where module[0] != UInt8(ascii: ".") {
                libraries.addLibraries(ofModule: join(modules, module), to: &self)
            }
        }
        return lookUp(join(directory, "os.py")) != nil
    }

    /// The directory that `home = ...` names.
    private static func home(in configuration: [UInt8]) -> Path? {
        for line in split(configuration, at: "\r\n") where isText("home", in: line, at: 0) {
            // A value is as long as its line, spaces and all; other keys begin with this one too.
            if split(line, at: " \t=")[0].count == 4, let slash = line.firstIndex(of: Path.slash) {
                return Path(Array(line[slash...]))
            }
        }
        return nil
    }
}
