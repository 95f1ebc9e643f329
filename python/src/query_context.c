/* SPDX-License-Identifier: Apache-2.0
 *
 * QueryContext: what would the sandbox of a set allow?
 */
#include "extension.h"

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

static enum text access_text(uint32_t mode) {
    return mode == NONO_ACCESS_MODE_READ ? TEXT_READ : mode == NONO_ACCESS_MODE_WRITE ? TEXT_WRITE : TEXT_READ_WRITE;
}

/* A new dict of texts, of so many keys each with its value. */
static PyObject *dict_of_texts(const struct module_state *state, const enum text *pairs, size_t count) {
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict != NULL && i < count; i++) {
        if (PyDict_SetItem(dict, state->texts[pairs[2 * i]], state->texts[pairs[2 * i + 1]]) != 0) {
            Py_CLEAR(dict);
        }
    }
    return dict;
}

static PyObject *make_template(const struct module_state *state, enum NonoQueryReason reason, uint32_t access,
                               uint32_t requested) {
    switch (reason) {
    case NONO_QUERY_REASON_GRANTED_PATH: {
        /* The path itself comes later. */
        const enum text pairs[] = {TEXT_STATUS,       TEXT_ALLOWED,      TEXT_REASON, TEXT_GRANTED_PATH,
                                   TEXT_GRANTED_PATH, TEXT_GRANTED_PATH, TEXT_ACCESS, access_text(access)};
        return dict_of_texts(state, pairs, 4);
    }
    case NONO_QUERY_REASON_INSUFFICIENT_ACCESS: {
        const enum text pairs[] = {TEXT_STATUS,  TEXT_DENIED,         TEXT_REASON,    TEXT_INSUFFICIENT_ACCESS,
                                   TEXT_GRANTED, access_text(access), TEXT_REQUESTED, access_text(requested)};
        return dict_of_texts(state, pairs, 4);
    }
    case NONO_QUERY_REASON_NETWORK_ALLOWED: {
        const enum text pairs[] = {TEXT_STATUS, TEXT_ALLOWED, TEXT_REASON, TEXT_NETWORK_ALLOWED};
        return dict_of_texts(state, pairs, 2);
    }
    case NONO_QUERY_REASON_NETWORK_BLOCKED: {
        const enum text pairs[] = {TEXT_STATUS, TEXT_DENIED, TEXT_REASON, TEXT_NETWORK_BLOCKED};
        return dict_of_texts(state, pairs, 2);
    }
    default: {
        const enum text pairs[] = {TEXT_STATUS, TEXT_DENIED, TEXT_REASON, TEXT_PATH_NOT_GRANTED};
        return dict_of_texts(state, pairs, 2);
    }
    }
}

/* An answer as a dict of its own. Answers differ in few ways but for a path, so each is made once and copied, which
 * takes half the time. */
static PyObject *answer(PyObject *self, enum NonoQueryReason reason, uint32_t access, uint32_t requested) {
    struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    uint32_t kind = reason == NONO_QUERY_REASON_PATH_NOT_GRANTED ? 0 : access * ACCESS_MODE_COUNT + requested;
    PyObject **template = &state->answers[reason * ACCESS_MODE_COUNT * ACCESS_MODE_COUNT + kind];
    if (*template == NULL) {
        *template = make_template(state, reason, access, requested);
    }
    return *template == NULL ? NULL : PyDict_Copy(*template);
}

static PyObject *granted_path(PyObject *self, const struct NonoPathAnswer *found) {
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *path = module_path(found->path);
    PyObject *dict = path == NULL ? NULL : answer(self, found->reason, found->access, 0);
    if (dict != NULL && PyDict_SetItem(dict, state->texts[TEXT_GRANTED_PATH], path) != 0) {
        Py_CLEAR(dict);
    }
    Py_XDECREF(path);
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
    /* No path that the kernel takes is longer. */
    char text[4096];
    struct NonoPathAnswer found = {.struct_size = sizeof found, .path = text, .path_size = sizeof text};
    PyThreadState *thread = PyEval_SaveThread();
    enum NonoErrorCode code = nono_query_context_answer_path(handle_of(self), bytes, length, mode, &found);
    PyEval_RestoreThread(thread);
    Py_DECREF(path);
    if (code != NONO_ERROR_CODE_OK) {
        return raise_last_error(code);
    }
    return found.path_length > 0 ? granted_path(self, &found) : answer(self, found.reason, found.access, mode);
}

static PyObject *query_network(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    struct NonoQueryResult result;
    enum NonoErrorCode code = nono_query_context_query_network(handle_of(self), &result);
    return code == NONO_ERROR_CODE_OK ? answer(self, result.reason, 0, 0) : raise_last_error(code);
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
