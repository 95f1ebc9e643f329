/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: from the library's last error to a Python exception.
 *
 * The message is the exception's only argument, as in the original nono_py. An
 * OSError has its errno filled in besides, but not its filename: with a filename,
 * OSError.__str__ would no longer show the message.
 */
#include "extension.h"

#include <errno.h>
#include <string.h>

static PyObject *last_message(void) {
    size_t length = 0;
    char *message = nono_last_error_bytes(&length);
    /* The message may quote a path that is no text, or a NUL. */
    PyObject *text = PyUnicode_DecodeUTF8(message == NULL ? "" : message, (Py_ssize_t)length, "replace");
    nono_string_free(message);
    return text;
}

/* The class that OSError itself chooses for this errno; a new reference. */
static PyObject *os_error_class(int number) {
    PyObject *sample = PyObject_CallFunction(PyExc_OSError, "is", number, "");
    if (sample == NULL) {
        return NULL;
    }
    PyObject *class = (PyObject *)Py_TYPE(sample);
    Py_INCREF(class);
    Py_DECREF(sample);
    return class;
}

static PyObject *raise_os_error(PyObject *message, int number) {
    PyObject *class = os_error_class(number);
    PyObject *error = class == NULL ? NULL : PyObject_CallFunctionObjArgs(class, message, NULL);
    PyObject *value = error == NULL ? NULL : PyLong_FromLong(number);
    if (value != NULL && PyObject_SetAttrString(error, "errno", value) == 0) {
        PyErr_SetObject(class, error);
    }
    Py_XDECREF(value);
    Py_XDECREF(error);
    Py_XDECREF(class);
    return NULL;
}

static PyObject *exception_class(enum NonoErrorCode code) {
    switch (code) {
    case NONO_ERROR_CODE_ERR_PATH_NOT_FOUND:
        return PyExc_FileNotFoundError;
    case NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION:
        return PyExc_OSError;
    case NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY:
    case NONO_ERROR_CODE_ERR_EXPECTED_FILE:
    case NONO_ERROR_CODE_ERR_CONFIG_PARSE:
    case NONO_ERROR_CODE_ERR_PROFILE_PARSE:
    case NONO_ERROR_CODE_ERR_INVALID_ARG:
        return PyExc_ValueError;
    case NONO_ERROR_CODE_ERR_BLOCKED_COMMAND:
        return PyExc_PermissionError;
    default:
        return PyExc_RuntimeError;
    }
}

PyObject *raise_last_error_as(PyObject *exception_class) {
    PyObject *message = last_message();
    if (message != NULL) {
        PyErr_SetObject(exception_class, message);
        Py_DECREF(message);
    }
    return NULL;
}

/* A command that could not be started. The class is Python's, and is there once a command is run. */
static PyObject *raise_spawn_error(void) {
    unsigned stage = nono_last_spawn_stage();
    int number = nono_last_os_error();
    PyObject *message = last_message();
    PyObject *module = message == NULL ? NULL : PyImport_ImportModule("nono_py._results");
    PyObject *error = module == NULL ? NULL : PyObject_CallMethod(module, "spawn_error", "IiO", stage, number, message);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_XDECREF(error);
    Py_XDECREF(module);
    Py_XDECREF(message);
    return NULL;
}

PyObject *raise_last_error(enum NonoErrorCode code) {
    if (code == NONO_ERROR_CODE_ERR_IO) {
        return raise_spawn_error();
    }
    PyObject *class = exception_class(code);
    int number = nono_last_os_error();
    if (number == 0 || !PyObject_IsSubclass(class, PyExc_OSError)) {
        return raise_last_error_as(class);
    }
    PyObject *message = last_message();
    if (message != NULL) {
        raise_os_error(message, number);
        Py_DECREF(message);
    }
    return NULL;
}

static bool last_path_holds_nul(void) {
    size_t length = 0;
    char *path = nono_last_error_path(&length);
    bool holds = path != NULL && memchr(path, 0, length) != NULL;
    nono_string_free(path);
    return holds;
}

PyObject *raise_last_path_error(void) {
    int number = nono_last_os_error();
    if (number == ENOENT) {
        return raise_last_error(NONO_ERROR_CODE_ERR_PATH_NOT_FOUND);
    }
    if (number != 0 || last_path_holds_nul()) {
        return raise_last_error(NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION);
    }
    return raise_last_error(NONO_ERROR_CODE_ERR_CONFIG_PARSE);
}
