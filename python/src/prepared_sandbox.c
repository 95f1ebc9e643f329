/* SPDX-License-Identifier: Apache-2.0
 *
 * SandboxHandle: a prepared sandbox, and starting a command in it. What Python sees of it is in nono_py/_running.py.
 */
#include "extension.h"

struct prepared_sandbox {
    PyObject ob_base;
    struct NonoPreparedSandbox *handle;
    PyObject *caps; /* as they were */
};

static struct NonoPreparedSandbox *handle_of(PyObject *self) {
    return ((struct prepared_sandbox *)self)->handle;
}

PyObject *prepared_sandbox_create(const struct module_state *state, struct NonoPreparedSandbox *handle,
                                  PyObject *caps) {
    PyObject *self = caps == NULL ? NULL : PyType_GenericAlloc(state->prepared_sandbox_type, 0);
    if (self == NULL) {
        nono_prepared_sandbox_free(handle);
        Py_XDECREF(caps);
        return NULL;
    }
    ((struct prepared_sandbox *)self)->handle = handle;
    ((struct prepared_sandbox *)self)->caps = caps;
    return self;
}

static PyObject *get_caps(PyObject *self, void *Py_UNUSED(closure)) {
    return new_reference(((struct prepared_sandbox *)self)->caps);
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    nono_prepared_sandbox_free(handle_of(self));
    Py_XDECREF(((struct prepared_sandbox *)self)->caps);
    PyObject_Free(self);
    Py_DECREF(type);
}

/* The strings of a list of bytes, ended by NULL; they live as long as the list, which nobody else has. */
static bool take_strings(PyObject *list, const char ***strings) {
    Py_ssize_t count = PyList_Size(list);
    if (count < 0) {
        return false;
    }
    *strings = PyMem_Calloc((size_t)count + 1, sizeof **strings);
    if (*strings == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        char *text;
        /* Refuses a NUL byte. */
        if (PyBytes_AsStringAndSize(PyList_GetItem(list, i), &text, NULL) != 0) {
            return false;
        }
        (*strings)[i] = text;
    }
    return true;
}

/* The string of bytes, without a NUL byte; NULL for None. */
static bool take_string(PyObject *value, const char **string) {
    char *text = NULL;
    bool fits = value == Py_None || PyBytes_AsStringAndSize(value, &text, NULL) == 0;
    *string = text;
    return fits;
}

/* start(argv, environment, directory, search_path, set, streams, numbers): lists of bytes; bytes or None; bytes or
 * None; NONO_SPAWN_*; (mode, descriptor) for each stream in one tuple; the numbers of struct NonoSpawnOptions in its
 * order. */
static PyObject *start(PyObject *self, PyObject *args) {
    struct NonoSpawnOptions options = {.struct_size = sizeof options};
    PyObject *argv, *environment, *directory, *search_path;
    unsigned long long set, numbers[6];
    if (!PyArg_ParseTuple(args, "OOOOK(IiIiIi)(KKKKKKIII):start", &argv, &environment, &directory, &search_path, &set,
                          &options.stdin_mode, &options.stdin_descriptor, &options.stdout_mode,
                          &options.stdout_descriptor, &options.stderr_mode, &options.stderr_descriptor, &numbers[0],
                          &numbers[1], &numbers[2], &numbers[3], &numbers[4], &numbers[5], &options.user,
                          &options.group, &options.umask)) {
        return NULL;
    }
    options.set = set;
    options.timeout_ns = numbers[0];
    options.max_processes = numbers[1];
    options.max_cpu_seconds = numbers[2];
    options.max_file_size = numbers[3];
    options.max_open_files = numbers[4];
    options.max_memory = numbers[5];
    const char **arguments = NULL, **entries = NULL;
    PyObject *process = NULL;
    if (take_strings(argv, &arguments) && take_strings(environment, &entries) &&
        take_string(directory, &options.directory) && take_string(search_path, &options.search_path)) {
        struct NonoProcess *handle = NULL;
        options.environment = entries;
        PyThreadState *thread = PyEval_SaveThread();
        enum NonoErrorCode code = nono_sandbox_spawn(handle_of(self), arguments, &options, &handle);
        PyEval_RestoreThread(thread);
        process = code == NONO_ERROR_CODE_OK ? process_create(PyType_GetModuleState(Py_TYPE(self)), handle)
                                             : raise_last_error(code);
    }
    PyMem_Free((void *)arguments);
    PyMem_Free((void *)entries);
    return process;
}

PyDoc_STRVAR(class_doc, "A sandbox that the kernel already knows.");
PyDoc_STRVAR(start_doc, "Start a command and return its ProcessHandle.");

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, start_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getters[] = {
    {"caps", get_caps, NULL, "What was granted when the sandbox was prepared.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc}, SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),   {Py_tp_methods, methods},
    {Py_tp_getset, getters},        {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py._nono_py.SandboxHandle",
    .basicsize = sizeof(struct prepared_sandbox),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool prepared_sandbox_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->prepared_sandbox_type);
}
