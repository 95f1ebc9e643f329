/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments: from what Python passes to what the library takes. The texts of the
 * errors are those of the original nono_py, down to "takes 1 positional arguments".
 */
#include "extension.h"

static Py_ssize_t parameter_count(const struct signature *signature) {
    Py_ssize_t count = 0;
    while (signature->parameters[count] != NULL) {
        count++;
    }
    return count;
}

static bool check_positional(const struct signature *signature, Py_ssize_t given) {
    Py_ssize_t most = parameter_count(signature);
    if (given <= most) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() takes %zd positional arguments but %zd %s given", signature->function, most,
                 given, given == 1 ? "was" : "were");
    return false;
}

static void refuse(const char *parameter, PyObject *value, const char *expected) {
    PyObject *given = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__qualname__");
    if (given != NULL) {
        PyErr_Format(PyExc_TypeError, "argument '%s': '%S' object cannot be converted to '%s'", parameter, given,
                     expected);
        Py_DECREF(given);
    }
}

static bool take_flag(const struct signature *signature, PyObject *name, PyObject *value, uint64_t *flags) {
    for (int i = 0; signature->flags != NULL && signature->flags[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->flags[i]) != 0) {
            continue;
        }
        if (!PyBool_Check(value)) {
            refuse(signature->flags[i], value, "bool");
            return false;
        }
        if (value == Py_True) {
            *flags |= UINT64_C(1) << i;
        }
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function, name);
    return false;
}

static bool take_keyword(const struct signature *signature, PyObject *name, PyObject *value, PyObject **values,
                         uint64_t *flags) {
    for (Py_ssize_t i = 0; signature->parameters[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->parameters[i]) != 0) {
            continue;
        }
        if (values[i] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->function, name);
            return false;
        }
        values[i] = value;
        return true;
    }
    return take_flag(signature, name, value, flags);
}

static bool check_missing(const struct signature *signature, PyObject *const *values) {
    const char *missing[MAX_PARAMETERS];
    int count = 0;
    for (Py_ssize_t i = 0; signature->parameters[i] != NULL; i++) {
        if (values[i] == NULL) {
            missing[count++] = signature->parameters[i];
        }
    }
    if (count == 0) {
        return true;
    }
    if (count == 1) {
        PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional argument: '%s'", signature->function,
                     missing[0]);
    } else {
        PyErr_Format(PyExc_TypeError, "%s() missing 2 required positional arguments: '%s' and '%s'",
                     signature->function, missing[0], missing[1]);
    }
    return false;
}

bool arguments_parse(const struct signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                     PyObject **values) {
    uint64_t none;
    return arguments_parse_flags(signature, args, count, names, values, &none);
}

bool arguments_parse_flags(const struct signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                           PyObject **values, uint64_t *flags) {
    *flags = 0;
    if (!check_positional(signature, count)) {
        return false;
    }
    for (Py_ssize_t i = 0; signature->parameters[i] != NULL; i++) {
        values[i] = i < count ? args[i] : NULL;
    }
    Py_ssize_t keywords = names == NULL ? 0 : PyTuple_Size(names);
    for (Py_ssize_t i = 0; i < keywords; i++) {
        if (!take_keyword(signature, PyTuple_GetItem(names, i), args[count + i], values, flags)) {
            return false;
        }
    }
    return check_missing(signature, values);
}

bool arguments_parse_new(const struct signature *signature, PyObject *args, PyObject *keywords, PyObject **values) {
    Py_ssize_t count = PyTuple_Size(args);
    if (!check_positional(signature, count)) {
        return false;
    }
    for (Py_ssize_t i = 0; signature->parameters[i] != NULL; i++) {
        values[i] = i < count ? PyTuple_GetItem(args, i) : NULL;
    }
    Py_ssize_t position = 0;
    PyObject *name, *value;
    uint64_t flags;
    while (keywords != NULL && PyDict_Next(keywords, &position, &name, &value)) {
        if (!take_keyword(signature, name, value, values, &flags)) {
            return false;
        }
    }
    return check_missing(signature, values);
}

static bool check_path_like(PyObject *value) {
    PyObject *method = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__fspath__");
    if (method != NULL) {
        Py_DECREF(method);
        return true;
    }
    if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        refuse("path", value, "PyString");
    }
    return false;
}

/* A path is encoded as open() encodes it, for a grant to mean the file that open() would find. */
PyObject *argument_path(PyObject *value) {
    if (PyUnicode_Check(value)) {
        return PyUnicode_EncodeFSDefault(value);
    }
    if (!PyBytes_Check(value) && !check_path_like(value)) {
        return NULL;
    }
    PyObject *path = PyOS_FSPath(value);
    if (path != NULL && PyUnicode_Check(path)) {
        PyObject *bytes = PyUnicode_EncodeFSDefault(path);
        Py_DECREF(path);
        return bytes;
    }
    return path;
}

const char *argument_text(const char *name, PyObject *value, Py_ssize_t *length) {
    if (!PyUnicode_Check(value)) {
        refuse(name, value, "PyString");
        return NULL;
    }
    return PyUnicode_AsUTF8AndSize(value, length);
}

bool argument_mode(const struct module_state *state, PyObject *value, uint32_t *mode) {
    if (!Py_IS_TYPE(value, state->access_mode_type)) {
        refuse("mode", value, "AccessMode");
        return false;
    }
    *mode = access_mode_value(value);
    return true;
}

struct NonoCapabilitySet *argument_caps(const struct module_state *state, PyObject *value) {
    if (!Py_IS_TYPE(value, state->capability_set_type)) {
        refuse("caps", value, "CapabilitySet");
        return NULL;
    }
    return capability_set_handle(value);
}
