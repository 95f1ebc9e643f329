/* SPDX-License-Identifier: Apache-2.0
 *
 * AccessMode: three constants. The class attributes, the getters and the module
 * all hold the same three objects.
 */
#include "extension.h"

struct access_mode {
    PyObject ob_base;
    uint32_t value;
};

static const struct {
    const char *name; /* the class attribute */
    const char *text;
    int64_t hash; /* that of the original, which programs may have stored */
} MODES[ACCESS_MODE_COUNT] = {
    [NONO_ACCESS_MODE_READ] = {"READ", "read", INT64_C(-4800647303603446203)},
    [NONO_ACCESS_MODE_WRITE] = {"WRITE", "write", INT64_C(2206609067086327257)},
    [NONO_ACCESS_MODE_READ_WRITE] = {"READ_WRITE", "read+write", INT64_C(-6569889354672326634)},
};

uint32_t access_mode_value(PyObject *access) {
    return ((struct access_mode *)access)->value;
}

const char *access_mode_text(PyObject *access) {
    return MODES[access_mode_value(access)].text;
}

PyObject *access_mode_get(const struct module_state *state, uint32_t mode) {
    if (mode >= ACCESS_MODE_COUNT) {
        PyErr_Format(PyExc_RuntimeError, "libnono returned an unknown access mode: %lu", (unsigned long)mode);
        return NULL;
    }
    return new_reference(state->access_modes[mode]);
}

static PyObject *repr(PyObject *self) {
    return PyUnicode_FromFormat("AccessMode.%s", MODES[access_mode_value(self)].name);
}

static PyObject *str(PyObject *self) {
    return PyUnicode_FromString(access_mode_text(self));
}

static PyObject *as_int(PyObject *self) {
    return PyLong_FromUnsignedLong(access_mode_value(self));
}

static Py_hash_t hash(PyObject *self) {
    return (Py_hash_t)MODES[access_mode_value(self)].hash;
}

static PyObject *compare(PyObject *self, PyObject *other, int operation) {
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (operation != Py_EQ && operation != Py_NE)) {
        return new_reference(Py_NotImplemented);
    }
    bool equal = access_mode_value(self) == access_mode_value(other);
    return PyBool_FromLong(equal == (operation == Py_EQ));
}

/* The class holds its instances and they hold the class: only the collector can free such a ring. */
static int traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(class_doc, "What a grant allows.\n"
                        "\n"
                        "READ: read files, list directories, execute files.\n"
                        "WRITE: write, truncate, create, rename, link and remove; not read.\n"
                        "READ_WRITE: both.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc}, SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_traverse, traverse), SLOT(Py_tp_dealloc, dealloc),
    SLOT(Py_tp_repr, repr),         SLOT(Py_tp_str, str),
    SLOT(Py_tp_hash, hash),         SLOT(Py_tp_richcompare, compare),
    SLOT(Py_nb_int, as_int),        {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.AccessMode",
    .basicsize = sizeof(struct access_mode),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

bool access_mode_init(PyObject *module, struct module_state *state) {
    if (!module_add_class(module, &spec, &state->access_mode_type)) {
        return false;
    }
    for (uint32_t value = 0; value < ACCESS_MODE_COUNT; value++) {
        PyObject *mode = PyType_GenericAlloc(state->access_mode_type, 0);
        if (mode == NULL) {
            return false;
        }
        ((struct access_mode *)mode)->value = value;
        state->access_modes[value] = mode;
        if (PyObject_SetAttrString((PyObject *)state->access_mode_type, MODES[value].name, mode) != 0) {
            return false;
        }
    }
    return true;
}
