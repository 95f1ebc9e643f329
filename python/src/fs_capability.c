/* SPDX-License-Identifier: Apache-2.0
 *
 * FsCapability: one grant, as it was when CapabilitySet.fs_capabilities() was called.
 */
#include "extension.h"

struct fs_capability {
    PyObject ob_base;
    PyObject *original;
    PyObject *resolved;
    PyObject *access;
    PyObject *group; /* of the source; NULL unless that is a group */
    enum NonoCapabilitySourceTag source_tag;
    bool is_file;
};

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    struct fs_capability *capability = (struct fs_capability *)self;
    Py_XDECREF(capability->original);
    Py_XDECREF(capability->resolved);
    Py_XDECREF(capability->access);
    Py_XDECREF(capability->group);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *take_path(char *path) {
    PyObject *text = module_path(path);
    nono_string_free(path);
    return text;
}

static bool fill(const struct module_state *state, struct fs_capability *capability,
                 const struct NonoCapabilitySet *caps, uintptr_t index) {
    capability->original = take_path(nono_capability_set_fs_original(caps, index));
    if (capability->original == NULL) {
        return false;
    }
    capability->resolved = take_path(nono_capability_set_fs_resolved(caps, index));
    if (capability->resolved == NULL) {
        return false;
    }
    capability->access = access_mode_get(state, nono_capability_set_fs_access(caps, index));
    if (capability->access == NULL) {
        return false;
    }
    capability->is_file = nono_capability_set_fs_is_file(caps, index);
    capability->source_tag = nono_capability_set_fs_source_tag(caps, index);
    if (capability->source_tag != NONO_CAPABILITY_SOURCE_TAG_GROUP) {
        return true;
    }
    capability->group = module_take_text(nono_capability_set_fs_source_group_name(caps, index));
    return capability->group != NULL;
}

PyObject *fs_capability_create(const struct module_state *state, const struct NonoCapabilitySet *caps,
                               uintptr_t index) {
    PyObject *self = PyType_GenericAlloc(state->fs_capability_type, 0);
    if (self != NULL && !fill(state, (struct fs_capability *)self, caps, index)) {
        Py_CLEAR(self);
    }
    return self;
}

/* The resolved path for people: U+FFFD in the place of bytes that are no text. */
static PyObject *display_path(const struct fs_capability *capability) {
    PyObject *bytes = PyUnicode_AsEncodedString(capability->resolved, "utf-8", "surrogateescape");
    PyObject *text = bytes == NULL ? NULL : PyUnicode_FromEncodedObject(bytes, "utf-8", "replace");
    Py_XDECREF(bytes);
    return text;
}

static PyObject *repr(PyObject *self) {
    const struct fs_capability *capability = (struct fs_capability *)self;
    PyObject *path = display_path(capability);
    if (path == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("FsCapability(path='%U', access=%s, is_file=%s)", path,
                                          access_mode_text(capability->access), capability->is_file ? "true" : "false");
    Py_DECREF(path);
    return text;
}

static PyObject *str(PyObject *self) {
    const struct fs_capability *capability = (struct fs_capability *)self;
    PyObject *path = display_path(capability);
    if (path == NULL) {
        return NULL;
    }
    PyObject *text = PyUnicode_FromFormat("%U (%s)", path, access_mode_text(capability->access));
    Py_DECREF(path);
    return text;
}

static PyObject *get_original(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct fs_capability *)self)->original);
}

static PyObject *get_resolved(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct fs_capability *)self)->resolved);
}

static PyObject *get_access(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct fs_capability *)self)->access);
}

static PyObject *get_is_file(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((struct fs_capability *)self)->is_file);
}

static PyObject *get_source(PyObject *self, void *Py_UNUSED(closure)) {
    const struct fs_capability *capability = (struct fs_capability *)self;
    return capability_source_create(PyType_GetModuleState(Py_TYPE(self)), capability->source_tag, capability->group);
}

PyDoc_STRVAR(class_doc, "One grant of a capability set, read-only.\n"
                        "\n"
                        "It does not follow later changes of the set.");

static PyGetSetDef getters[] = {
    {"original", get_original, NULL, "The path as it was granted.", NULL},
    {"resolved", get_resolved, NULL, "The absolute path it led to, without symbolic links.", NULL},
    {"access", get_access, NULL, "What the grant allows.", NULL},
    {"is_file", get_is_file, NULL, "True for a grant of one file, false for a directory with all below it.", NULL},
    {"source", get_source, NULL, "Where the grant comes from.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc},
    SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_str, str),
    {Py_tp_getset, getters},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.FsCapability",
    .basicsize = sizeof(struct fs_capability),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool fs_capability_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->fs_capability_type);
}
