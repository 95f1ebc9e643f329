/* SPDX-License-Identifier: Apache-2.0
 *
 * SupportInfo: whether and how this system can sandbox.
 */
#include "extension.h"

struct support_info {
    PyObject ob_base;
    PyObject *platform;
    PyObject *details;
    uint64_t unenforced;
    int32_t kernel_abi;
    int32_t used_abi;
    bool is_supported;
};

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct support_info *)self)->platform);
    Py_XDECREF(((struct support_info *)self)->details);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* What this kernel would leave open in a sandbox that grants nothing; everything that is known if there is no sandbox.
 */
static uint64_t unenforced_by_default(void) {
    uint64_t unenforced = UINT64_MAX;
    struct NonoCapabilitySet *nothing = nono_capability_set_new();
    (void)nono_sandbox_unenforced(nothing, NULL, &unenforced);
    nono_capability_set_free(nothing);
    return unenforced;
}

PyObject *support_info_create(const struct module_state *state) {
    PyObject *self = PyType_GenericAlloc(state->support_info_type, 0);
    if (self == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    struct NonoSupportInfo found = nono_sandbox_support_info();
    int32_t kernel_abi = nono_sandbox_kernel_abi();
    int32_t used_abi = nono_sandbox_used_abi();
    uint64_t unenforced = unenforced_by_default();
    PyEval_RestoreThread(thread);
    struct support_info *info = (struct support_info *)self;
    info->kernel_abi = kernel_abi;
    info->used_abi = used_abi;
    info->unenforced = unenforced;
    info->is_supported = found.is_supported;
    info->platform = module_take_text(found.platform);
    if (info->platform == NULL) {
        nono_string_free(found.details);
        Py_DECREF(self);
        return NULL;
    }
    info->details = module_take_text(found.details);
    if (info->details == NULL) {
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *repr(PyObject *self) {
    const struct support_info *info = (struct support_info *)self;
    return PyUnicode_FromFormat("SupportInfo(supported=%s, platform='%U')", info->is_supported ? "true" : "false",
                                info->platform);
}

static PyObject *get_is_supported(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((struct support_info *)self)->is_supported);
}

static PyObject *get_platform(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct support_info *)self)->platform);
}

static PyObject *get_details(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct support_info *)self)->details);
}

static PyObject *get_kernel_abi(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(((struct support_info *)self)->kernel_abi);
}

static PyObject *get_used_abi(PyObject *self, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(((struct support_info *)self)->used_abi);
}

static PyObject *get_unenforced(PyObject *self, void *Py_UNUSED(closure)) {
    return sandbox_unenforced_names(((struct support_info *)self)->unenforced);
}

PyDoc_STRVAR(class_doc, "Whether and how this system can sandbox.");

static PyGetSetDef getters[] = {
    {"is_supported", get_is_supported, NULL, "True if apply() can work here.", NULL},
    {"platform", get_platform, NULL, "The operating system: \"linux\" or \"macos\".", NULL},
    {"details", get_details, NULL, "One line for people.", NULL},
    {"kernel_abi", get_kernel_abi, NULL, "The Landlock ABI of the running kernel, 0 if there is none.", NULL},
    {"used_abi", get_used_abi, NULL, "The Landlock ABI whose rights are used of it.", NULL},
    {"unenforced", get_unenforced, NULL, "What this kernel leaves open in any sandbox, by name; see unenforced().",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc}, SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),   SLOT(Py_tp_repr, repr),
    {Py_tp_getset, getters},        {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.SupportInfo",
    .basicsize = sizeof(struct support_info),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool support_info_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->support_info_type);
}
