/* SPDX-License-Identifier: Apache-2.0
 *
 * QueryContext: what would the sandbox of a set allow?
 */
#include "extension.h"

#include <string.h>

struct query_context {
    PyObject ob_base;
    struct NonoQueryContext *handle;
};

static struct NonoQueryContext *handle_of(PyObject *self) {
    return ((struct query_context *)self)->handle;
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static const struct signature signature = {.function = "QueryContext.__new__", .parameters = {"caps"}};
    PyObject *value;
    if (!arguments_parse_new(&signature, args, keywords, &value)) {
        return NULL;
    }
    struct NonoCapabilitySet *caps = argument_caps(PyType_GetModuleState(type), value);
    PyObject *self = caps == NULL ? NULL : PyType_GenericAlloc(type, 0);
    if (self != NULL) {
        ((struct query_context *)self)->handle = nono_query_context_new(caps);
    }
    return self;
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    nono_query_context_free(handle_of(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

/* Adds a pair to a dict; the value's reference is taken over. NULL is an error already set. */
static bool add(PyObject *dict, PyObject *key, PyObject *value) {
    bool added = value != NULL && PyDict_SetItem(dict, key, value) == 0;
    Py_XDECREF(value);
    return added;
}

/* The string for a text of the library that names an access. There are three; strings of them are kept. */
static PyObject *access_string(const struct module_state *state, const char *text) {
    if (text != NULL && strcmp(text, "read") == 0) {
        return new_reference(state->texts[TEXT_READ]);
    }
    if (text != NULL && strcmp(text, "write") == 0) {
        return new_reference(state->texts[TEXT_WRITE]);
    }
    if (text != NULL && strcmp(text, "read+write") == 0) {
        return new_reference(state->texts[TEXT_READ_WRITE]);
    }
    return PyUnicode_FromString(text == NULL ? "" : text);
}

static enum text reason_text(enum NonoQueryReason reason) {
    switch (reason) {
    case NONO_QUERY_REASON_GRANTED_PATH:
        return TEXT_GRANTED_PATH;
    case NONO_QUERY_REASON_NETWORK_ALLOWED:
        return TEXT_NETWORK_ALLOWED;
    case NONO_QUERY_REASON_INSUFFICIENT_ACCESS:
        return TEXT_INSUFFICIENT_ACCESS;
    case NONO_QUERY_REASON_NETWORK_BLOCKED:
        return TEXT_NETWORK_BLOCKED;
    default:
        return TEXT_PATH_NOT_GRANTED;
    }
}

static bool fill(PyObject *dict, const struct module_state *state, const struct NonoQueryResult *result) {
    enum text status = result->status == NONO_QUERY_STATUS_ALLOWED ? TEXT_ALLOWED : TEXT_DENIED;
    if (!add(dict, state->texts[TEXT_STATUS], new_reference(state->texts[status])) ||
        !add(dict, state->texts[TEXT_REASON], new_reference(state->texts[reason_text(result->reason)]))) {
        return false;
    }
    if (result->reason == NONO_QUERY_REASON_GRANTED_PATH) {
        return add(dict, state->texts[TEXT_GRANTED_PATH], module_path(result->granted_path)) &&
               add(dict, state->texts[TEXT_ACCESS], access_string(state, result->access));
    }
    if (result->reason == NONO_QUERY_REASON_INSUFFICIENT_ACCESS) {
        return add(dict, state->texts[TEXT_GRANTED], access_string(state, result->granted)) &&
               add(dict, state->texts[TEXT_REQUESTED], access_string(state, result->requested));
    }
    return true;
}

static PyObject *answer(PyObject *self, enum NonoErrorCode code, struct NonoQueryResult *result) {
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    PyObject *dict = PyDict_New();
    if (dict != NULL && !fill(dict, PyType_GetModuleState(Py_TYPE(self)), result)) {
        Py_CLEAR(dict);
    }
    nono_string_free(result->granted_path);
    nono_string_free(result->access);
    nono_string_free(result->granted);
    nono_string_free(result->requested);
    return dict;
}

static PyObject *query_path(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const struct signature signature = {.function = "QueryContext.query_path", .parameters = {"path", "mode"}};
    PyObject *values[2];
    if (!arguments_parse(&signature, args, count, names, values)) {
        return NULL;
    }
    PyObject *path = argument_path(values[0]);
    uint32_t mode;
    if (path == NULL) {
        return NULL;
    }
    if (!argument_mode(PyType_GetModuleState(Py_TYPE(self)), values[1], &mode)) {
        Py_DECREF(path);
        return NULL;
    }
    const char *bytes = PyBytes_AsString(path);
    size_t length = (size_t)PyBytes_Size(path);
    struct NonoQueryResult result;
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_query_context_query_path_bytes(handle_of(self), bytes, length, mode, &result);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    return answer(self, code, &result);
}

static PyObject *query_network(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    struct NonoQueryResult result;
    enum NonoErrorCode code = nono_query_context_query_network(handle_of(self), &result);
    return answer(self, code, &result);
}

PyDoc_STRVAR(class_doc, "QueryContext(caps)\n--\n\n"
                        "Answers what the sandbox of a set would allow, without applying it.\n"
                        "\n"
                        "It is made from the set as it is now; later changes of the set do not show.");
PyDoc_STRVAR(query_path_doc, "query_path($self, path, mode)\n--\n\n"
                             "Tell whether access to a path would be allowed.\n"
                             "\n"
                             "All grants that cover the path count together, as in the kernel. Returns one of\n"
                             "\n"
                             "    {\"status\": \"allowed\", \"reason\": \"granted_path\", \"granted_path\": ..., "
                             "\"access\": ...}\n"
                             "    {\"status\": \"denied\", \"reason\": \"insufficient_access\", \"granted\": ..., "
                             "\"requested\": ...}\n"
                             "    {\"status\": \"denied\", \"reason\": \"path_not_granted\"}");
PyDoc_STRVAR(query_network_doc, "query_network($self)\n--\n\n"
                                "Tell whether the network would be allowed. Returns one of\n"
                                "\n"
                                "    {\"status\": \"allowed\", \"reason\": \"network_allowed\"}\n"
                                "    {\"status\": \"denied\", \"reason\": \"network_blocked\"}");

static PyMethodDef methods[] = {
    KEYWORD_METHOD("query_path", query_path, query_path_doc),
    {"query_network", query_network, METH_NOARGS, query_network_doc},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (char *)class_doc},
    SLOT(Py_tp_new, new),
    SLOT(Py_tp_dealloc, dealloc),
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "nono_py.QueryContext",
    .basicsize = sizeof(struct query_context),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

bool query_context_init(PyObject *module, struct module_state *state) {
    return module_add_class(module, &spec, &state->query_context_type);
}
