/* SPDX-License-Identifier: Apache-2.0
 *
 * ProcessHandle: a command that was started. What Python sees of it is in nono_py/_process.py.
 */
#include "extension.h"

#include <errno.h>
#include <string.h>

struct process {
    PyObject ob_base;
    struct NonoProcess *handle;
};

static struct NonoProcess *handle_of(PyObject *self) {
    return ((struct process *)self)->handle;
}

/* Ends what still runs, which takes as long as it takes. */
static void free_handle(struct NonoProcess *handle) {
    PyThreadState *thread = PyEval_SaveThread();
    nono_process_free(handle);
    PyEval_RestoreThread(thread);
}

PyObject *process_create(const struct module_state *state, struct NonoProcess *handle) {
    PyObject *self = PyType_GenericAlloc(state->process_type, 0);
    if (self == NULL) {
        free_handle(handle);
        return NULL;
    }
    ((struct process *)self)->handle = handle;
    return self;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    free_handle(handle_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *none_or_raise(enum NonoErrorCode code) {
    return code == NONO_ERROR_CODE_OK ? new_reference(Py_None) : raise_last_error(code);
}

static PyObject *failure_text(struct NonoProcess *handle, const struct NonoProcessStatus *status) {
    /* Asking anyway would look at how it is by now, which may be another state. */
    char *text = status->failed_stage == NONO_SPAWN_STAGE_NONE ? NULL : nono_process_failure(handle);
    if (text == NULL) {
        return new_reference(Py_None);
    }
    PyObject *failure = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
    nono_string_free(text);
    return failure;
}

/* wait(timeout_ns): has_ended, pid, exit_code, cause, failed_stage, failed_errno, failure, memory and processes limited
 * by, leaves_survivors, unenforced. May return early, when a signal handler has run. */
static PyObject *wait_for(PyObject *self, PyObject *args) {
    long long timeout;
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    if (!PyArg_ParseTuple(args, "L:wait", &timeout)) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_process_wait(handle_of(self), timeout, &status);
    PyEval_RestoreThread(thread);
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    if (PyErr_CheckSignals() != 0) {
        return NULL;
    }
    PyObject *failure = failure_text(handle_of(self), &status);
    PyObject *unenforced = failure == NULL ? NULL : sandbox_unenforced_names(status.unenforced);
    if (unenforced == NULL) {
        Py_XDECREF(failure);
        return NULL;
    }
    /* N takes references over. */
    return Py_BuildValue("(NiiIIiNIINN)", PyBool_FromLong(status.has_ended), (int)status.pid, (int)status.exit_code,
                         (unsigned)status.cause, (unsigned)status.failed_stage, (int)status.failed_errno, failure,
                         (unsigned)status.memory_limited_by, (unsigned)status.processes_limited_by,
                         PyBool_FromLong(status.leaves_survivors), unenforced);
}

/* As for subprocess.Popen, no signal to a command that has ended is an error. */
static PyObject *signal_command(PyObject *self, PyObject *args) {
    int number;
    if (!PyArg_ParseTuple(args, "i:signal", &number)) {
        return NULL;
    }
    enum NonoErrorCode code = nono_process_signal(handle_of(self), number);
    return none_or_raise(code == NONO_ERROR_CODE_ERR_IO && nono_last_os_error() == ESRCH ? NONO_ERROR_CODE_OK : code);
}

static PyObject *kill_all(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return none_or_raise(nono_process_kill(handle_of(self)));
}

static PyObject *fileno_of(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromLong(nono_process_descriptor(handle_of(self)));
}

static PyObject *take(PyObject *self, PyObject *args) {
    unsigned stream;
    return PyArg_ParseTuple(args, "I:take", &stream)
               ? PyLong_FromLong(nono_process_take_descriptor(handle_of(self), stream))
               : NULL;
}

struct listening {
    PyThreadState *thread;
    PyObject *listener; /* NULL for none */
};

/* Signals are Python's to handle, and output the listener's. Both may raise, which ends the command. */
static int32_t listen(void *payload, uint32_t stream, const char *bytes, size_t length) {
    struct listening *listening = payload;
    if (stream != 0 && listening->listener == NULL) {
        return 0;
    }
    PyEval_RestoreThread(listening->thread);
    bool goes_on = true;
    if (stream == 0) {
        goes_on = PyErr_CheckSignals() == 0;
    } else {
        PyObject *result =
            PyObject_CallFunction(listening->listener, "Iy#", (unsigned)stream, bytes, (Py_ssize_t)length);
        goes_on = result != NULL;
        Py_XDECREF(result);
    }
    listening->thread = PyEval_SaveThread();
    return goes_on ? 0 : 1;
}

/* Bytes of the library, which are released. */
static PyObject *take_bytes(char *bytes, size_t length) {
    PyObject *result = PyBytes_FromStringAndSize(bytes, (Py_ssize_t)length);
    nono_string_free(bytes);
    return result;
}

/* communicate(input, max_output, listener): stdout, how much of it was cut, stderr, how much of it was cut. */
static PyObject *communicate(PyObject *self, PyObject *args) {
    const char *input;
    Py_ssize_t length;
    unsigned long long most;
    struct listening listening = {.thread = NULL};
    if (!PyArg_ParseTuple(args, "y#KO:communicate", &input, &length, &most, &listening.listener)) {
        return NULL;
    }
    if (listening.listener == Py_None) {
        listening.listener = NULL;
    }
    const struct NonoCommunication communication = {
        .struct_size = sizeof communication,
        .input = input,
        .input_length = (size_t)length,
        .max_output = most,
        .listener = listen,
        .payload = &listening,
    };
    struct NonoOutput output = {.struct_size = sizeof output};
    listening.thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_process_communicate(handle_of(self), &communication, &output);
    PyEval_RestoreThread(listening.thread);
    PyObject *standard_output = take_bytes(output.stdout_bytes, output.stdout_length);
    PyObject *standard_error = take_bytes(output.stderr_bytes, output.stderr_length);
    if (code == NONO_ERROR_CODE_OK && standard_output != NULL && standard_error != NULL) {
        return Py_BuildValue("(NKNK)", standard_output, (unsigned long long)output.stdout_cut, standard_error,
                             (unsigned long long)output.stderr_cut);
    }
    Py_XDECREF(standard_output);
    Py_XDECREF(standard_error);
    return PyErr_Occurred() != NULL ? NULL : raise_last_error(code);
}

PyDoc_STRVAR(class_doc, "A command that was started. Losing the object ends the command.");
PyDoc_STRVAR(wait_doc, "Wait so many nanoseconds for the end, for ever if negative; return how it is.");
PyDoc_STRVAR(signal_doc, "Send a signal to the command itself, unless it has ended.");
PyDoc_STRVAR(kill_doc, "Have the command and all that it started killed.");
PyDoc_STRVAR(fileno_doc, "Return a descriptor that polls as readable when the command has ended.");
PyDoc_STRVAR(take_doc, "Return our end of a pipe, to be closed by the caller, or -1.");
PyDoc_STRVAR(communicate_doc, "Feed and drain the pipes until the command has ended.");

static PyMethodDef methods[] = {
    {"wait", wait_for, METH_VARARGS, wait_doc},
    {"signal", signal_command, METH_VARARGS, signal_doc},
    {"kill", kill_all, METH_NOARGS, kill_doc},
    {"fileno", fileno_of, METH_NOARGS, fileno_doc},
    {"take", take, METH_VARARGS, take_doc},
    {"communicate", communicate, METH_VARARGS, communicate_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc},
    SLOT(Py_tp_new, module_refuse_new),
    SLOT(Py_tp_dealloc, dealloc),
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py._nono_py.ProcessHandle",
    .basicsize = sizeof(struct process),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool process_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->process_type);
}
