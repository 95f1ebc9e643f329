/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program needs to start, and why it did not.
 */
#include "extension.h"

#include <limits.h>

#define MOST 4

/* Parameters: the first `required` are, the first `positional` may be given by position. */
struct form {
    const char *function;
    const char *names[MOST + 1];
    Py_ssize_t required;
    Py_ssize_t positional;
};

static Py_ssize_t place_of(const struct form *form, PyObject *name) {
    Py_ssize_t place = 0;
    while (form->names[place] != NULL && PyUnicode_CompareWithASCIIString(name, form->names[place]) != 0) {
        place++;
    }
    return place;
}

/* Values that are not given are NULL. */
static bool parse(const struct form *form, PyObject *const *args, Py_ssize_t count, PyObject *names,
                  PyObject **values) {
    if (count > form->positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional arguments but %zd were given", form->function,
                     form->positional, count);
        return false;
    }
    for (Py_ssize_t i = 0; i < MOST; i++) {
        values[i] = i < count ? args[i] : NULL;
    }
    Py_ssize_t keywords = names == NULL ? 0 : PyTuple_Size(names);
    for (Py_ssize_t i = 0; i < keywords; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        Py_ssize_t place = place_of(form, name);
        if (form->names[place] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", form->function, name);
            return false;
        }
        if (values[place] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", form->function, name);
            return false;
        }
        values[place] = args[count + i];
    }
    for (Py_ssize_t i = 0; i < form->required; i++) {
        if (values[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional argument: '%s'", form->function,
                         form->names[i]);
            return false;
        }
    }
    return true;
}

/* A program and a search path as the library takes them. */
struct texts {
    PyObject *program_bytes;
    PyObject *search_path_bytes; /* NULL for none */
    char *program;
    char *search_path;
};

static void release(struct texts *texts) {
    Py_CLEAR(texts->program_bytes);
    Py_CLEAR(texts->search_path_bytes);
}

/* Neither may hold a NUL byte: a ValueError, as open() raises. */
static bool take(PyObject *program, PyObject *search_path, struct texts *texts) {
    *texts = (struct texts){NULL, NULL, NULL, NULL};
    texts->program_bytes = argument_path(program);
    bool taken =
        texts->program_bytes != NULL && PyBytes_AsStringAndSize(texts->program_bytes, &texts->program, NULL) == 0;
    if (taken && search_path != NULL && search_path != Py_None) {
        texts->search_path_bytes = argument_path(search_path);
        taken = texts->search_path_bytes != NULL &&
                PyBytes_AsStringAndSize(texts->search_path_bytes, &texts->search_path, NULL) == 0;
    }
    if (!taken) {
        release(texts);
    }
    return taken;
}

PyObject *programs_allow(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct form form = {"CapabilitySet.allow_program", {"program", "search_path", NULL}, 1, 1};
    PyObject *values[MOST];
    struct texts texts;
    if (!parse(&form, args, count, names, values) || !take(values[0], values[1], &texts)) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code =
        nono_capability_set_allow_program(capability_set_handle(self), texts.program, texts.search_path);
    PyEval_RestoreThread(thread);
    release(&texts);
    return code == NONO_ERROR_CODE_OK ? new_reference(Py_None) : raise_last_error(code);
}

PyObject *programs_requirements(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct form form = {"program_requirements", {"program", "search_path", NULL}, 1, 1};
    PyObject *values[MOST];
    struct texts texts;
    if (!parse(&form, args, count, names, values) || !take(values[0], values[1], &texts)) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    struct NonoCapabilitySet *handle = nono_program_requirements(texts.program, texts.search_path);
    PyEval_RestoreThread(thread);
    release(&texts);
    if (handle == NULL) {
        return raise_last_path_error();
    }
    PyObject *caps = capability_set_create(PyModule_GetState(module), handle);
    PyObject *list = caps == NULL ? NULL : PyObject_CallMethod(caps, "fs_capabilities", NULL);
    Py_XDECREF(caps);
    return list;
}

static bool take_errno(PyObject *value, int32_t *number) {
    long given = PyLong_AsLong(value);
    if (given == -1 && PyErr_Occurred()) {
        return false;
    }
    if (given < 0 || given > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "invalid errno: %ld", given);
        return false;
    }
    *number = (int32_t)given;
    return true;
}

PyObject *programs_explain(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct form form = {"explain_exec_failure", {"caps", "program", "errno", "search_path", NULL}, 3, 3};
    PyObject *values[MOST];
    struct texts texts;
    int32_t number;
    if (!parse(&form, args, count, names, values) || !take_errno(values[2], &number)) {
        return NULL;
    }
    const struct NonoCapabilitySet *caps = argument_caps(PyModule_GetState(module), values[0]);
    if (caps == NULL || !take(values[1], values[3], &texts)) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    char *text = nono_explain_exec_failure(caps, texts.program, texts.search_path, number);
    PyEval_RestoreThread(thread);
    release(&texts);
    if (text == NULL) {
        return raise_last_error(NONO_ERROR_CODE_ERR_INVALID_ARG);
    }
    /* It may name a path that is no text. */
    PyObject *result = module_path(text);
    nono_string_free(text);
    return result;
}

const char programs_allow_doc[] = "allow_program($self, program, *, search_path=None)\n--\n\n"
                                  "Grant reading of all that a program needs to start: see program_requirements().\n"
                                  "\n"
                                  "Raises what that raises, and grants nothing then.";

const char programs_requirements_doc[] =
    "program_requirements(program, *, search_path=None)\n--\n\n"
    "Return the grants that a program needs to start.\n"
    "\n"
    "Itself, the interpreters of its \"#!\" lines, its dynamic loader, its libraries, and for CPython\n"
    "its library directories. The program is not run. A name without a slash is looked up in\n"
    "search_path, directories with colons between them, or else in PATH.\n"
    "\n"
    "Raises FileNotFoundError if something of it does not exist, and names it; another OSError if\n"
    "something cannot be read or is no program.";

const char programs_explain_doc[] = "explain_exec_failure(caps, program, errno, *, search_path=None)\n--\n\n"
                                    "Tell in a line why a program could not be started in a sandbox of the set.\n"
                                    "\n"
                                    "errno is that of execve(), or 0 if the program did start and its loader failed.";
