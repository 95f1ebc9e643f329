/* SPDX-License-Identifier: Apache-2.0
 *
 * CapabilitySource: where a grant comes from.
 */
#include "extension.h"

struct capability_source {
    PyObject ob_base;
    enum NonoCapabilitySourceTag tag;
    PyObject *group; /* the name of the group, a str, or NULL */
};

PyObject *capability_source_create(const struct module_state *state, enum NonoCapabilitySourceTag tag,
                                   PyObject *group) {
    PyObject *self = PyType_GenericAlloc(state->capability_source_type, 0);
    if (self != NULL) {
        struct capability_source *source = (struct capability_source *)self;
        Py_XINCREF(group);
        source->tag = tag;
        source->group = group;
    }
    return self;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((struct capability_source *)self)->group);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *str(PyObject *self) {
    const struct capability_source *source = (struct capability_source *)self;
    switch (source->tag) {
    case NONO_CAPABILITY_SOURCE_TAG_GROUP:
        return PyUnicode_FromFormat("group:%V", source->group, "");
    case NONO_CAPABILITY_SOURCE_TAG_SYSTEM:
        return PyUnicode_FromString("system");
    case NONO_CAPABILITY_SOURCE_TAG_PROFILE:
        return PyUnicode_FromString("profile");
    default:
        return PyUnicode_FromString("user");
    }
}

static PyObject *repr(PyObject *self) {
    PyObject *text = str(self);
    PyObject *result = text == NULL ? NULL : PyUnicode_FromFormat("CapabilitySource(%U)", text);
    Py_XDECREF(text);
    return result;
}

/* self of the static methods is the class. */

static PyObject *user(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return capability_source_create(PyType_GetModuleState((PyTypeObject *)self), NONO_CAPABILITY_SOURCE_TAG_USER, NULL);
}

static PyObject *system_source(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return capability_source_create(PyType_GetModuleState((PyTypeObject *)self), NONO_CAPABILITY_SOURCE_TAG_SYSTEM,
                                    NULL);
}

static PyObject *group(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "CapabilitySource.group", .parameters = {"name"}};
    PyObject *name;
    Py_ssize_t length;
    if (!arguments_parse(&signature, args, count, names, &name) || argument_text("name", name, &length) == NULL) {
        return NULL;
    }
    PyObject *exact = PyUnicode_FromObject(name);
    if (exact == NULL) {
        return NULL;
    }
    PyObject *source =
        capability_source_create(PyType_GetModuleState((PyTypeObject *)self), NONO_CAPABILITY_SOURCE_TAG_GROUP, exact);
    Py_DECREF(exact);
    return source;
}

PyDoc_STRVAR(class_doc, "Where a grant comes from.\n"
                        "\n"
                        "Grants made from Python, also those restored from a saved state, come from the user.");
PyDoc_STRVAR(user_doc, "user()\n--\n\nReturn the source of grants that the user made.");
PyDoc_STRVAR(group_doc, "group(name)\n--\n\nReturn the source of grants that belong to a named group.");
PyDoc_STRVAR(system_doc, "system()\n--\n\nReturn the source of grants that the system needs.");

static PyMethodDef static_methods[] = {
    {"user", user, METH_NOARGS, user_doc},
    KEYWORD_METHOD("group", group, group_doc),
    {"system", system_source, METH_NOARGS, system_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc}, SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),   SLOT(Py_tp_repr, repr),
    SLOT(Py_tp_str, str),           {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.CapabilitySource",
    .basicsize = sizeof(struct capability_source),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool capability_source_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->capability_source_type) &&
           module_add_static_methods(state->capability_source_type, static_methods);
}
