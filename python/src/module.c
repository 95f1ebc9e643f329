/* SPDX-License-Identifier: Apache-2.0
 *
 * The module: its functions, its state, and what its classes have in common.
 */
#include "extension.h"

#include <string.h>

#if PY_VERSION_HEX < 0x030A0000
/* Python 3.9 cuts the signature off the documentation of a class before it looks for one there. */
static bool restore_signature(PyTypeObject *type, const PyType_Spec *spec) {
    const PyType_Slot *slot = spec->slots;
    while (slot->slot != Py_tp_doc) {
        slot++;
    }
    size_t size = strlen(slot->pfunc) + 1;
    char *doc = PyObject_Malloc(size);
    if (doc == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(doc, slot->pfunc, size);
    PyObject_Free((void *)type->tp_doc);
    type->tp_doc = doc;
    return true;
}
#endif

bool module_add_class(PyObject *module, PyType_Spec *spec, PyTypeObject **type) {
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (*type == NULL) {
        return false;
    }
#if PY_VERSION_HEX < 0x030A0000
    if (!restore_signature(*type, spec)) {
        return false;
    }
#endif
    return PyModule_AddType(module, *type) == 0;
}

/* METH_STATIC would hide the class from the function; this is the same construction without that. */
bool module_add_static_methods(PyTypeObject *type, PyMethodDef *methods) {
    PyObject *builtins = PyImport_ImportModule("builtins");
    PyObject *wrapper = builtins == NULL ? NULL : PyObject_GetAttrString(builtins, "staticmethod");
    bool added = wrapper != NULL;
    for (PyMethodDef *method = methods; added && method->ml_name != NULL; method++) {
        PyObject *function = PyCFunction_New(method, (PyObject *)type);
        PyObject *wrapped = function == NULL ? NULL : PyObject_CallFunctionObjArgs(wrapper, function, NULL);
        added = wrapped != NULL && PyObject_SetAttrString((PyObject *)type, method->ml_name, wrapped) == 0;
        Py_XDECREF(wrapped);
        Py_XDECREF(function);
    }
    Py_XDECREF(wrapper);
    Py_XDECREF(builtins);
    return added;
}

PyObject *module_refuse_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords)) {
    PyObject *name = PyObject_GetAttrString((PyObject *)type, "__name__");
    if (name != NULL) {
        PyErr_Format(PyExc_TypeError, "No constructor defined for %S", name);
        Py_DECREF(name);
    }
    return NULL;
}

PyObject *module_take_text(char *text) {
    PyObject *result = PyUnicode_FromString(text);
    nono_string_free(text);
    return result;
}

PyObject *module_path(const char *path) {
    return PyUnicode_DecodeFSDefault(path);
}

static PyObject *support_info(PyObject *module, PyObject *Py_UNUSED(ignored)) {
    return support_info_create(PyModule_GetState(module));
}

static const char *const TEXTS[TEXT_COUNT] = {
    [TEXT_STATUS] = "status",
    [TEXT_REASON] = "reason",
    [TEXT_GRANTED_PATH] = "granted_path",
    [TEXT_ACCESS] = "access",
    [TEXT_GRANTED] = "granted",
    [TEXT_REQUESTED] = "requested",
    [TEXT_ALLOWED] = "allowed",
    [TEXT_DENIED] = "denied",
    [TEXT_NETWORK_ALLOWED] = "network_allowed",
    [TEXT_PATH_NOT_GRANTED] = "path_not_granted",
    [TEXT_INSUFFICIENT_ACCESS] = "insufficient_access",
    [TEXT_NETWORK_BLOCKED] = "network_blocked",
    [TEXT_READ] = "read",
    [TEXT_WRITE] = "write",
    [TEXT_READ_WRITE] = "read+write",
};

static bool intern_texts(struct module_state *state) {
    for (int i = 0; i < TEXT_COUNT; i++) {
        state->texts[i] = PyUnicode_InternFromString(TEXTS[i]);
        if (state->texts[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool add_names(PyObject *module) {
    PyObject *names =
        Py_BuildValue("[ssssssssss]", "AccessMode", "CapabilitySource", "FsCapability", "CapabilitySet", "SupportInfo",
                      "SandboxState", "QueryContext", "apply", "is_supported", "support_info");
    bool added = names != NULL && PyObject_SetAttrString(module, "__all__", names) == 0;
    Py_XDECREF(names);
    return added && PyModule_AddStringConstant(module, "__version__", NONO_VERSION) == 0;
}

static int execute(PyObject *module) {
    struct module_state *state = PyModule_GetState(module);
    bool ready = intern_texts(state) && access_mode_init(module, state) && capability_source_init(module, state) &&
                 fs_capability_init(module, state) && capability_set_init(module, state) &&
                 support_info_init(module, state) && sandbox_state_init(module, state) &&
                 query_context_init(module, state) && prepared_sandbox_init(module, state) &&
                 process_init(module, state) && add_names(module);
    return ready ? 0 : -1;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
    struct module_state *state = PyModule_GetState(module);
    Py_VISIT(state->access_mode_type);
    Py_VISIT(state->capability_source_type);
    Py_VISIT(state->fs_capability_type);
    Py_VISIT(state->capability_set_type);
    Py_VISIT(state->support_info_type);
    Py_VISIT(state->sandbox_state_type);
    Py_VISIT(state->query_context_type);
    Py_VISIT(state->prepared_sandbox_type);
    Py_VISIT(state->process_type);
    for (int i = 0; i < ACCESS_MODE_COUNT; i++) {
        Py_VISIT(state->access_modes[i]);
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        Py_VISIT(state->texts[i]);
    }
    for (int i = 0; i < QUERY_REASON_COUNT; i++) {
        for (int j = 0; j < ACCESS_MODE_COUNT * ACCESS_MODE_COUNT; j++) {
            Py_VISIT(state->answers[i][j]);
        }
    }
    return 0;
}

static int clear(PyObject *module) {
    struct module_state *state = PyModule_GetState(module);
    Py_CLEAR(state->access_mode_type);
    Py_CLEAR(state->capability_source_type);
    Py_CLEAR(state->fs_capability_type);
    Py_CLEAR(state->capability_set_type);
    Py_CLEAR(state->support_info_type);
    Py_CLEAR(state->sandbox_state_type);
    Py_CLEAR(state->query_context_type);
    Py_CLEAR(state->prepared_sandbox_type);
    Py_CLEAR(state->process_type);
    for (int i = 0; i < ACCESS_MODE_COUNT; i++) {
        Py_CLEAR(state->access_modes[i]);
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        Py_CLEAR(state->texts[i]);
    }
    for (int i = 0; i < QUERY_REASON_COUNT; i++) {
        for (int j = 0; j < ACCESS_MODE_COUNT * ACCESS_MODE_COUNT; j++) {
            Py_CLEAR(state->answers[i][j]);
        }
    }
    return 0;
}

static void release(void *module) {
    (void)clear(module);
}

PyDoc_STRVAR(module_doc, "The extension module behind nono_py; import that instead.");
PyDoc_STRVAR(support_info_doc, "support_info()\n--\n\nTell whether and how this system can sandbox.");

static PyMethodDef functions[] = {
    KEYWORD_METHOD("apply", sandbox_apply, sandbox_apply_doc),
    {"is_supported", sandbox_is_supported, METH_NOARGS, sandbox_is_supported_doc},
    {"support_info", support_info, METH_NOARGS, support_info_doc},
    KEYWORD_METHOD("prepare", sandbox_prepare, sandbox_prepare_doc),
    KEYWORD_METHOD("unenforced", sandbox_unenforced, sandbox_unenforced_doc),
    {"sandbox_status", sandbox_status, METH_NOARGS, sandbox_status_doc},
    KEYWORD_METHOD("program_requirements", programs_requirements, programs_requirements_doc),
    KEYWORD_METHOD("explain_exec_failure", programs_explain, programs_explain_doc),
    POSITIONAL_METHOD("diagnostic_report_json", diagnostics_report),
    POSITIONAL_METHOD("session_diagnostics_json", diagnostics_of_session),
    POSITIONAL_METHOD("merged_diagnostic_report_json", diagnostics_merge),
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    SLOT(Py_mod_exec, execute),
#ifdef Py_GIL_DISABLED
    /* scripts/check-threads.sh shows that this is true. */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,  .m_name = "nono_py._nono_py",
    .m_doc = module_doc,    .m_size = sizeof(struct module_state),
    .m_methods = functions, .m_slots = slots,
    .m_traverse = traverse, .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__nono_py(void) {
    return PyModuleDef_Init(&definition);
}
