/* SPDX-License-Identifier: Apache-2.0
 *
 * CapabilitySet: what a process still needs.
 *
 * The handle lives as long as the object, and the caller of a method holds the
 * object: the handle may be used while the GIL is released.
 */
#include "extension.h"

struct capability_set {
    PyObject ob_base;
    struct NonoCapabilitySet *handle;
};

struct NonoCapabilitySet *capability_set_handle(PyObject *caps) {
    return ((struct capability_set *)caps)->handle;
}

static PyObject *adopt(PyTypeObject *type, struct NonoCapabilitySet *handle) {
    PyObject *self = PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        nono_capability_set_free(handle);
        return NULL;
    }
    ((struct capability_set *)self)->handle = handle;
    return self;
}

PyObject *capability_set_create(const struct module_state *state, struct NonoCapabilitySet *handle) {
    return adopt(state->capability_set_type, handle);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static const struct signature signature = {.function = "CapabilitySet.__new__", .parameters = {NULL}};
    if (!arguments_parse_new(&signature, args, keywords, NULL)) {
        return NULL;
    }
    return adopt(type, nono_capability_set_new());
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    nono_capability_set_free(capability_set_handle(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *repr(PyObject *self) {
    const struct NonoCapabilitySet *caps = capability_set_handle(self);
    return PyUnicode_FromFormat("CapabilitySet(fs=%zu, network=%s)", (size_t)nono_capability_set_fs_count(caps),
                                nono_capability_set_is_network_blocked(caps) ? "blocked" : "allowed");
}

static PyObject *none_or_raise(enum NonoErrorCode code) {
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    return new_reference(Py_None);
}

typedef enum NonoErrorCode grant_function(struct NonoCapabilitySet *, const char *, size_t, uint32_t);

static PyObject *grant(PyObject *self, PyObject *const *values, grant_function *function) {
    PyObject *path = argument_path(values[0]);
    uint32_t mode;
    if (path == NULL) {
        return NULL;
    }
    if (!argument_mode(PyType_GetModuleState(Py_TYPE(self)), values[1], &mode)) {
        Py_DECREF(path);
        return NULL;
    }
    const char *bytes = PyBytes_AsString(path);
    size_t length = (size_t)PyBytes_Size(path);
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = function(capability_set_handle(self), bytes, length, mode);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    return none_or_raise(code);
}

static PyObject *allow_path(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.allow_path", .parameters = {"path", "mode"}};
    PyObject *values[2];
    bool fits = arguments_parse(&signature, args, count, names, values);
    return fits ? grant(self, values, nono_capability_set_allow_path_bytes) : NULL;
}

static PyObject *allow_file(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.allow_file", .parameters = {"path", "mode"}};
    PyObject *values[2];
    bool fits = arguments_parse(&signature, args, count, names, values);
    return fits ? grant(self, values, nono_capability_set_allow_file_bytes) : NULL;
}

static PyObject *block_network(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return none_or_raise(nono_capability_set_set_network_blocked(capability_set_handle(self), true));
}

static PyObject *block_unix_sockets(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return none_or_raise(nono_capability_set_block_unix_sockets(capability_set_handle(self)));
}

typedef enum NonoErrorCode command_function(struct NonoCapabilitySet *, const char *, size_t);

static PyObject *add_command(PyObject *self, PyObject *value, command_function *function) {
    Py_ssize_t length;
    const char *cmd = argument_text("cmd", value, &length);
    return cmd == NULL ? NULL : none_or_raise(function(capability_set_handle(self), cmd, (size_t)length));
}

static PyObject *allow_command(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.allow_command", .parameters = {"cmd"}};
    PyObject *value;
    bool fits = arguments_parse(&signature, args, count, names, &value);
    return fits ? add_command(self, value, nono_capability_set_allow_command_bytes) : NULL;
}

static PyObject *block_command(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.block_command", .parameters = {"cmd"}};
    PyObject *value;
    bool fits = arguments_parse(&signature, args, count, names, &value);
    return fits ? add_command(self, value, nono_capability_set_block_command_bytes) : NULL;
}

static PyObject *platform_rule(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.platform_rule", .parameters = {"rule"}};
    PyObject *value;
    Py_ssize_t length;
    if (!arguments_parse(&signature, args, count, names, &value)) {
        return NULL;
    }
    const char *rule = argument_text("rule", value, &length);
    if (rule == NULL) {
        return NULL;
    }
    if (nono_capability_set_add_platform_rule_bytes(capability_set_handle(self), rule, (size_t)length) !=
        NONO_ERROR_CODE_OK) {
        return raise_last_error_as(PyExc_ValueError);
    }
    return new_reference(Py_None);
}

static PyObject *deduplicate(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    nono_capability_set_deduplicate(capability_set_handle(self));
    return new_reference(Py_None);
}

static PyObject *path_covered(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySet.path_covered", .parameters = {"path"}};
    PyObject *value;
    if (!arguments_parse(&signature, args, count, names, &value)) {
        return NULL;
    }
    PyObject *path = argument_path(value);
    if (path == NULL) {
        return NULL;
    }
    const char *bytes = PyBytes_AsString(path);
    size_t length = (size_t)PyBytes_Size(path);
    PyThreadState *thread = PyEval_SaveThread();
    bool covered = nono_capability_set_path_covered_bytes(capability_set_handle(self), bytes, length);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    return PyBool_FromLong(covered);
}

/* Of a copy, which takes constant time: neither another thread nor a later change of the set shows. */
static PyObject *fs_capabilities(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *caps = capability_set_create(state, nono_capability_set_copy(capability_set_handle(self)));
    if (caps == NULL) {
        return NULL;
    }
    Py_ssize_t count = (Py_ssize_t)nono_capability_set_fs_count(capability_set_handle(caps));
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *capability = fs_capability_create(state, caps, (uintptr_t)i);
        if (capability == NULL || PyList_SetItem(list, i, capability) != 0) {
            Py_CLEAR(list);
        }
    }
    Py_DECREF(caps);
    return list;
}

static PyObject *summary(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return module_take_text(nono_capability_set_summary(capability_set_handle(self)));
}

static PyObject *seatbelt_profile(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    char *profile = nono_capability_set_seatbelt_profile(capability_set_handle(self));
    return profile == NULL ? raise_last_error(NONO_ERROR_CODE_ERR_SANDBOX_INIT) : module_take_text(profile);
}

static PyObject *get_unix_sockets_blocked(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(nono_capability_set_unix_sockets_blocked(capability_set_handle(self)));
}

static PyObject *get_is_network_blocked(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(nono_capability_set_is_network_blocked(capability_set_handle(self)));
}

PyDoc_STRVAR(class_doc, "CapabilitySet()\n--\n\n"
                        "What a process still needs: paths, and the network unless it is blocked.\n"
                        "\n"
                        "A new set grants no path and allows the network. A set may be used by several\n"
                        "threads at once. Paths are str, bytes or os.PathLike.\n"
                        "\n"
                        "    caps = CapabilitySet()\n"
                        "    caps.allow_path(\"project\", AccessMode.READ_WRITE)\n"
                        "    caps.block_network()\n"
                        "    apply(caps)  # there is no way back");
PyDoc_STRVAR(allow_path_doc, "allow_path($self, path, mode)\n--\n\n"
                             "Grant a directory and everything below it, now and later.\n"
                             "\n"
                             "The path is resolved at once, through symbolic links: every part of it must exist.\n"
                             "\n"
                             "Raises FileNotFoundError if the path does not exist, another OSError if it cannot be\n"
                             "resolved, and ValueError if it does not lead to a directory.");
PyDoc_STRVAR(allow_file_doc, "allow_file($self, path, mode)\n--\n\n"
                             "Grant one object that is not a directory: a file, a FIFO, a socket, a device.\n"
                             "\n"
                             "Raises FileNotFoundError if the path does not exist, another OSError if it cannot be\n"
                             "resolved, and ValueError if it leads to a directory.");
PyDoc_STRVAR(block_unix_sockets_doc,
             "block_unix_sockets($self)\n--\n\n"
             "Close unix sockets altogether, but for connected pairs. Without this a sandboxed\n"
             "process can connect to unix sockets by path, up to Landlock ABI 8.");
PyDoc_STRVAR(block_network_doc, "block_network($self)\n--\n\nBlock the network.");
PyDoc_STRVAR(allow_command_doc,
             "allow_command($self, cmd)\n--\n\n"
             "Put the name of a program on the allow list: sandboxed_exec() runs it although it is blocked.");
PyDoc_STRVAR(block_command_doc,
             "block_command($self, cmd)\n--\n\n"
             "Put the name of a program on the block list: sandboxed_exec() and spawn() refuse it.\n\n"
             "A guard rail and not containment: whatever the command can read, it can run, by another name too.");
PyDoc_STRVAR(platform_rule_doc, "platform_rule($self, rule)\n--\n\n"
                                "Add a Seatbelt rule, an S-expression, that macOS adds to the profile.\n"
                                "\n"
                                "Other systems ignore the rule. Every system raises ValueError for text that is not\n"
                                "balanced and for a rule that would open the whole file system.");
PyDoc_STRVAR(deduplicate_doc, "deduplicate($self)\n--\n\nMerge grants of the same object; their access is united.");
PyDoc_STRVAR(path_covered_doc, "path_covered($self, path)\n--\n\n"
                               "Tell whether a granted directory covers the path, with whatever access.");
PyDoc_STRVAR(fs_capabilities_doc, "fs_capabilities($self)\n--\n\nReturn the grants, in the order they were made.");
PyDoc_STRVAR(summary_doc, "summary($self)\n--\n\nReturn a description for people, several lines.");
PyDoc_STRVAR(seatbelt_profile_doc,
             "seatbelt_profile($self)\n--\n\n"
             "Return the profile with which macOS would enforce the set, on every system.\n"
             "\n"
             "It depends on HOME as it is now. Raises RuntimeError for what apply() would refuse on\n"
             "macOS: control characters in a path, a path that is not UTF-8, a NUL in a rule.");

static PyMethodDef methods[] = {
    KEYWORD_METHOD("allow_path", allow_path, allow_path_doc),
    KEYWORD_METHOD("allow_file", allow_file, allow_file_doc),
    KEYWORD_METHOD("allow_program", programs_allow, programs_allow_doc),
    {"block_network", block_network, METH_NOARGS, block_network_doc},
    {"block_unix_sockets", block_unix_sockets, METH_NOARGS, block_unix_sockets_doc},
    KEYWORD_METHOD("allow_command", allow_command, allow_command_doc),
    KEYWORD_METHOD("block_command", block_command, block_command_doc),
    KEYWORD_METHOD("platform_rule", platform_rule, platform_rule_doc),
    {"deduplicate", deduplicate, METH_NOARGS, deduplicate_doc},
    KEYWORD_METHOD("path_covered", path_covered, path_covered_doc),
    {"fs_capabilities", fs_capabilities, METH_NOARGS, fs_capabilities_doc},
    {"summary", summary, METH_NOARGS, summary_doc},
    {"seatbelt_profile", seatbelt_profile, METH_NOARGS, seatbelt_profile_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"is_network_blocked", get_is_network_blocked, NULL, "True if the network is blocked.", NULL},
    {"unix_sockets_blocked", get_unix_sockets_blocked, NULL, "True if unix sockets are closed altogether.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc},
    SLOT(Py_tp_new, new),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.CapabilitySet",
    .basicsize = sizeof(struct capability_set),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool capability_set_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->capability_set_type);
}
