/* SPDX-License-Identifier: Apache-2.0
 *
 * SandboxState: a capability set that can be saved as text.
 */
#include "extension.h"

struct sandbox_state {
    PyObject ob_base;
    struct NonoSandboxState *handle;
};

static struct NonoSandboxState *handle_of(PyObject *self) {
    return ((struct sandbox_state *)self)->handle;
}

/* Owns the handle from the call on, also if it fails. */
static PyObject *adopt(PyObject *type, struct NonoSandboxState *handle) {
    PyObject *self = PyType_GenericAlloc((PyTypeObject *)type, 0);
    if (self == NULL) {
        nono_sandbox_state_free(handle);
        return NULL;
    }
    ((struct sandbox_state *)self)->handle = handle;
    return self;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    nono_sandbox_state_free(handle_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *repr(PyObject *self) {
    const struct NonoSandboxState *state = handle_of(self);
    return PyUnicode_FromFormat("SandboxState(fs=%zu, net_blocked=%s)", nono_sandbox_state_fs_count(state),
                                nono_sandbox_state_net_blocked(state) ? "true" : "false");
}

/* self of the static methods is the class. */

static PyObject *from_caps(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "SandboxState.from_caps", .parameters = {"caps"}};
    PyObject *value;
    if (!arguments_parse(&signature, args, count, names, &value)) {
        return NULL;
    }
    const struct NonoCapabilitySet *caps = argument_caps(PyType_GetModuleState((PyTypeObject *)self), value);
    if (caps == NULL) {
        return NULL;
    }
    return adopt(self, nono_sandbox_state_from_caps(caps));
}

static PyObject *from_json(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "SandboxState.from_json", .parameters = {"json"}};
    PyObject *value;
    Py_ssize_t length;
    if (!arguments_parse(&signature, args, count, names, &value)) {
        return NULL;
    }
    const char *json = argument_text("json", value, &length);
    if (json == NULL) {
        return NULL;
    }
    struct NonoSandboxState *state = nono_sandbox_state_from_json_bytes(json, (size_t)length);
    if (state == NULL) {
        return raise_last_error_as(PyExc_ValueError);
    }
    return adopt(self, state);
}

static PyObject *to_json(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    char *json = nono_sandbox_state_to_json(handle_of(self));
    if (json == NULL) {
        return raise_last_error(NONO_ERROR_CODE_ERR_CONFIG_PARSE);
    }
    return module_take_text(json);
}

static PyObject *to_caps(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    PyThreadState *thread = PyEval_SaveThread();
    struct NonoCapabilitySet *caps = nono_sandbox_state_to_caps(handle_of(self));
    PyEval_RestoreThread(thread);
    if (caps == NULL) {
        return raise_last_path_error();
    }
    return capability_set_create(PyType_GetModuleState(Py_TYPE(self)), caps);
}

static PyObject *get_net_blocked(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(nono_sandbox_state_net_blocked(handle_of(self)));
}

PyDoc_STRVAR(class_doc, "A capability set that can be saved as text.");
PyDoc_STRVAR(from_caps_doc, "from_caps(caps)\n--\n\nTake a snapshot of a set.");
PyDoc_STRVAR(from_json_doc, "from_json(json)\n--\n\n"
                            "Read what to_json() wrote. Raises ValueError if it is no such text.");
PyDoc_STRVAR(to_json_doc, "to_json($self)\n--\n\n"
                          "Return the state as JSON. Raises ValueError if a path is not UTF-8.");
PyDoc_STRVAR(to_caps_doc, "to_caps($self)\n--\n\n"
                          "Grant again what was saved, resolving every path now.\n"
                          "\n"
                          "Raises what allow_path() and allow_file() raise, and ValueError if a path now leads\n"
                          "elsewhere than it did.");

static PyMethodDef methods[] = {
    {"to_json", to_json, METH_NOARGS, to_json_doc},
    {"to_caps", to_caps, METH_NOARGS, to_caps_doc},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef static_methods[] = {
    KEYWORD_METHOD("from_caps", from_caps, from_caps_doc),
    KEYWORD_METHOD("from_json", from_json, from_json_doc),
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"net_blocked", get_net_blocked, NULL, "True if the saved set blocks the network.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc},
    SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.SandboxState",
    .basicsize = sizeof(struct sandbox_state),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool sandbox_state_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->sandbox_state_type) &&
           module_add_static_methods(state->sandbox_state_type, static_methods);
}
