/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions about the sandbox itself: putting it in force, and what is in force.
 */
#include "extension.h"

/* In the order of the bits of NONO_ALLOW_*. */
static const char *const OPTIONS[] = {
    "allow_keyrings",
    "allow_sysv_ipc",
    "allow_terminal_input",
    "allow_bpf",
    "allow_perf_events",
    "allow_userfaultfd",
    "allow_kernel_administration",
    "allow_mounts",
    "allow_file_handles",
    "allow_clock_and_hostname",
    "allow_other_processes",
    "allow_capabilities",
    "allow_signals",
    "allow_abstract_unix_sockets",
    NULL,
};

/* In the order of the bits of NONO_UNENFORCED_*. */
static const char *const UNENFORCED[] = {
    "metadata", "truncation", "device_control", "signals", "abstract_unix_sockets", "pathname_unix_sockets", NULL,
};

#define OPTIONS_SIGNATURE                                                                                              \
    "*, allow_keyrings=False, allow_sysv_ipc=False, allow_terminal_input=False, allow_bpf=False, "                     \
    "allow_perf_events=False, allow_userfaultfd=False, allow_kernel_administration=False, allow_mounts=False, "        \
    "allow_file_handles=False, allow_clock_and_hostname=False, allow_other_processes=False, "                          \
    "allow_capabilities=False, allow_signals=False, allow_abstract_unix_sockets=False"

const char sandbox_apply_doc[] =
    "apply(caps, " OPTIONS_SIGNATURE ")\n--\n\n"
    "Put the sandbox in force. There is no way back.\n"
    "\n"
    "From now on the kernel refuses everything that the set does not grant, to every thread of this\n"
    "process and to the children they start. It may be called again: each time only narrows.\n"
    "\n"
    "What a sandbox closes besides can be left open, one thing for each keyword.\n"
    "\n"
    "Raises RuntimeError if this system cannot enforce the set, if a thread does not answer, or while\n"
    "a command of sandboxed_exec() or spawn() runs; nothing is restricted then.";

const char sandbox_prepare_doc[] = "prepare(caps, " OPTIONS_SIGNATURE ")\n--\n\n"
                                   "Prepare the sandbox of a set, for running commands in it; a SandboxHandle.";

const char sandbox_unenforced_doc[] = "unenforced(caps, " OPTIONS_SIGNATURE ")\n--\n\n"
                                      "Tell what this kernel would leave open in a sandbox of the set, by name.\n"
                                      "\n"
                                      "Raises RuntimeError if it cannot enforce the set at all.";

const char sandbox_status_doc[] =
    "sandbox_status()\n--\n\n"
    "Tell what is in force on this process, as far as it was put there since the program\n"
    "was started.";

const char sandbox_is_supported_doc[] = "is_supported()\n--\n\nTell whether this system can sandbox at all.";

/* A new list of the names whose bits are set. */
static PyObject *name_bits(const char *const *names, uint64_t bits) {
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && names[i] != NULL; i++) {
        if ((bits >> i & 1) == 0) {
            continue;
        }
        PyObject *name = PyUnicode_FromString(names[i]);
        if (name == NULL || PyList_Append(list, name) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    return list;
}

PyObject *sandbox_unenforced_names(uint64_t unenforced) {
    return name_bits(UNENFORCED, unenforced);
}

static const struct NonoCapabilitySet *parse(PyObject *module, const struct signature *signature, PyObject *const *args,
                                             Py_ssize_t count, PyObject *names, struct NonoApplyOptions *options) {
    PyObject *value;
    options->struct_size = sizeof *options;
    if (!arguments_parse_flags(signature, args, count, names, &value, &options->allow)) {
        return NULL;
    }
    return argument_caps(PyModule_GetState(module), value);
}

PyObject *sandbox_apply(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "apply", .parameters = {"caps"}, .flags = OPTIONS};
    struct NonoApplyOptions options;
    const struct NonoCapabilitySet *caps = parse(module, &signature, args, count, names, &options);
    if (caps == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_sandbox_apply_with_options(caps, &options);
    PyEval_RestoreThread(thread);
    return code == NONO_ERROR_CODE_OK ? new_reference(Py_None) : raise_last_error(code);
}

PyObject *sandbox_unenforced(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "unenforced", .parameters = {"caps"}, .flags = OPTIONS};
    struct NonoApplyOptions options;
    uint64_t unenforced;
    const struct NonoCapabilitySet *caps = parse(module, &signature, args, count, names, &options);
    if (caps == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_sandbox_unenforced(caps, &options, &unenforced);
    PyEval_RestoreThread(thread);
    return code == NONO_ERROR_CODE_OK ? name_bits(UNENFORCED, unenforced) : raise_last_error(code);
}

PyObject *sandbox_prepare(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "prepare", .parameters = {"caps"}, .flags = OPTIONS};
    struct NonoApplyOptions options;
    const struct module_state *state = PyModule_GetState(module);
    struct NonoPreparedSandbox *sandbox = NULL;
    const struct NonoCapabilitySet *caps = parse(module, &signature, args, count, names, &options);
    if (caps == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_sandbox_prepare(caps, &options, &sandbox);
    PyEval_RestoreThread(thread);
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    return prepared_sandbox_create(state, sandbox, capability_set_create(state, nono_capability_set_copy(caps)));
}

static const char *network_text(uint32_t mode) {
    switch (mode) {
    case NONO_NETWORK_MODE_ALLOW_ALL:
        return "allowed";
    case NONO_NETWORK_MODE_PROXY_ONLY:
        return "proxy-only";
    default:
        return "blocked";
    }
}

PyObject *sandbox_status(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    struct NonoSandboxStatus status = {.struct_size = sizeof status};
    enum NonoErrorCode code = nono_sandbox_status(&status);
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    PyObject *allowed = name_bits(OPTIONS, status.allowed);
    PyObject *unenforced = allowed == NULL ? NULL : name_bits(UNENFORCED, status.unenforced);
    if (unenforced == NULL) {
        Py_XDECREF(allowed);
        return NULL;
    }
    /* N takes both lists over. */
    return Py_BuildValue("{s:I,s:s,s:N,s:i,s:i,s:N,s:N,s:N,s:N}", "layers", (unsigned)status.layers, "network",
                         network_text(status.network_mode), "unix_sockets_blocked",
                         PyBool_FromLong(status.unix_sockets_blocked), "landlock_abi", (int)status.landlock_abi,
                         "seccomp_mode", (int)status.seccomp_mode, "no_new_privs", PyBool_FromLong(status.no_new_privs),
                         "is_incomplete", PyBool_FromLong(status.is_incomplete), "allowed", allowed, "unenforced",
                         unenforced);
}

PyObject *sandbox_is_supported(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    PyThreadState *thread = PyEval_SaveThread();
    bool supported = nono_sandbox_is_supported();
    PyEval_RestoreThread(thread);
    return PyBool_FromLong(supported);
}
