/* SPDX-License-Identifier: Apache-2.0
 *
 * FsCapability: one grant, as it was when CapabilitySet.fs_capabilities() was called.
 */
#include "extension.h"

struct fs_capability {
    PyObject ob_base;
    PyObject *caps; /* a CapabilitySet that nobody else has: what it grants is read when it is asked for */
    uintptr_t index;
};

static const struct NonoCapabilitySet *caps_of(PyObject *self) {
    return capability_set_handle(((struct fs_capability *)self)->caps);
}

static uintptr_t index_of(PyObject *self) {
    return ((struct fs_capability *)self)->index;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct fs_capability *)self)->caps);
    PyObject_Free(self);
    Py_DECREF(type);
}

PyObject *fs_capability_create(const struct module_state *state, PyObject *caps, uintptr_t index) {
    PyObject *self = PyType_GenericAlloc(state->fs_capability_type, 0);
    if (self != NULL) {
        ((struct fs_capability *)self)->caps = new_reference(caps);
        ((struct fs_capability *)self)->index = index;
    }
    return self;
}

static PyObject *take_path(char *path) {
    PyObject *text = module_path(path);
    nono_string_free(path);
    return text;
}

static PyObject *get_original(PyObject *self, void *Py_UNUSED(closure)) {
    return take_path(nono_capability_set_fs_original(caps_of(self), index_of(self)));
}

static PyObject *get_resolved(PyObject *self, void *Py_UNUSED(closure)) {
    return take_path(nono_capability_set_fs_resolved(caps_of(self), index_of(self)));
}

static PyObject *get_access(PyObject *self, void *Py_UNUSED(closure)) {
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    return access_mode_get(state, nono_capability_set_fs_access(caps_of(self), index_of(self)));
}

static bool is_file(PyObject *self) {
    return nono_capability_set_fs_is_file(caps_of(self), index_of(self));
}

static PyObject *get_is_file(PyObject *self, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(is_file(self));
}

static PyObject *get_source(PyObject *self, void *Py_UNUSED(closure)) {
    enum NonoCapabilitySourceTag tag = nono_capability_set_fs_source_tag(caps_of(self), index_of(self));
    PyObject *group = NULL;
    if (tag == NONO_CAPABILITY_SOURCE_TAG_GROUP) {
        group = module_take_text(nono_capability_set_fs_source_group_name(caps_of(self), index_of(self)));
        if (group == NULL) {
            return NULL;
        }
    }
    PyObject *source = capability_source_create(PyType_GetModuleState(Py_TYPE(self)), tag, group);
    Py_XDECREF(group);
    return source;
}

/* The resolved path for people: U+FFFD in the place of bytes that are no text. */
static PyObject *display_path(PyObject *self) {
    PyObject *path = get_resolved(self, NULL);
    PyObject *bytes = path == NULL ? NULL : PyUnicode_AsEncodedString(path, "utf-8", "surrogateescape");
    PyObject *text = bytes == NULL ? NULL : PyUnicode_FromEncodedObject(bytes, "utf-8", "replace");
    Py_XDECREF(path);
    Py_XDECREF(bytes);
    return text;
}

/* A text of the path and the access, in this order. */
static PyObject *format(const char *format, PyObject *self, const char *is_file_text) {
    PyObject *path = display_path(self);
    PyObject *access = path == NULL ? NULL : get_access(self, NULL);
    PyObject *text = access == NULL ? NULL : PyUnicode_FromFormat(format, path, access_mode_text(access), is_file_text);
    Py_XDECREF(path);
    Py_XDECREF(access);
    return text;
}

static PyObject *repr(PyObject *self) {
    return format("FsCapability(path='%U', access=%s, is_file=%s)", self, is_file(self) ? "true" : "false");
}

static PyObject *str(PyObject *self) {
    return format("%U (%s)", self, "");
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
