/* SPDX-License-Identifier: Apache-2.0
 *
 * Reports about a command that ran in a sandbox, as JSON. nono_py/__init__.py makes dicts of them where the public
 * function returns one.
 */
#include "extension.h"

#include <limits.h>
#include <string.h>

static bool check_count(const char *function, Py_ssize_t least, Py_ssize_t most, Py_ssize_t given) {
    if (given >= least && given <= most) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() takes %zd to %zd positional arguments but %zd were given", function, least,
                 most, given);
    return false;
}

static bool exit_code_argument(PyObject *value, int32_t *exit_code) {
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        return false;
    }
    int overflow = 0;
    long code = PyLong_AsLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (overflow != 0 || code < INT32_MIN || code > INT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "out of range integral type conversion attempted");
        return false;
    }
    *exit_code = (int32_t)code;
    return true;
}

/* A report of the library, or its error. */
static PyObject *take_report(char *json) {
    return json == NULL ? raise_last_error(NONO_ERROR_CODE_ERR_CONFIG_PARSE) : module_take_text(json);
}

PyObject *diagnostics_report(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    int32_t exit_code;
    if (!check_count("diagnostic_report_json", 1, 1, count) || !exit_code_argument(args[0], &exit_code)) {
        return NULL;
    }
    return take_report(nono_session_diagnostic_report_to_json(exit_code, NULL, NULL, NULL));
}

PyObject *diagnostics_of_session(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    int32_t exit_code;
    if (!check_count("session_diagnostics_json", 3, 4, count) || !exit_code_argument(args[0], &exit_code)) {
        return NULL;
    }
    char *stderr_bytes;
    Py_ssize_t stderr_length;
    const struct NonoCapabilitySet *caps = argument_caps(PyModule_GetState(module), args[2]);
    if (caps == NULL || PyBytes_AsStringAndSize(args[1], &stderr_bytes, &stderr_length) != 0) {
        return NULL;
    }
    PyObject *directory = NULL;
    if (count == 4 && args[3] != Py_None) {
        directory = argument_path(args[3]);
        if (directory == NULL) {
            return NULL;
        }
    }
    const char *directory_bytes = directory == NULL ? NULL : PyBytes_AsString(directory);
    size_t directory_length = directory == NULL ? 0 : (size_t)PyBytes_Size(directory);
    PyThreadState *thread = PyEval_SaveThread();
    char *json = nono_session_diagnostics_to_json(exit_code, stderr_bytes, (size_t)stderr_length, caps, directory_bytes,
                                                  directory_length);
    PyEval_RestoreThread(thread);
    Py_XDECREF(directory);
    return take_report(json);
}

/* The text of a str that holds no NUL, which no JSON does. */
static const char *json_argument(const char *name, const char *what, PyObject *value) {
    Py_ssize_t length;
    const char *text = argument_text(name, value, &length);
    if (text != NULL && strlen(text) != (size_t)length) {
        PyErr_Format(PyExc_ValueError, "Configuration parse error: parse %s JSON: there is a NUL character in it",
                     what);
        return NULL;
    }
    return text;
}

PyObject *diagnostics_merge(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
    if (!check_count("merged_diagnostic_report_json", 2, 2, count)) {
        return NULL;
    }
    const char *session = json_argument("session_report_json", "session diagnostic", args[0]);
    if (session == NULL) {
        return NULL;
    }
    const char *proxy = NULL;
    if (args[1] != Py_None) {
        proxy = json_argument("proxy_diagnostics_json", "proxy diagnostics", args[1]);
        if (proxy == NULL) {
            return NULL;
        }
    }
    return take_report(nono_merge_diagnostic_report_json(session, proxy));
}
