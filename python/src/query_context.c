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

/* What an answer looks like: two pairs of texts, and where accesses belong to the reason two more. */
static const struct {
    enum text status, reason;
    bool has_accesses;
    enum text keys[2];
} SHAPES[QUERY_REASON_COUNT] = {
    /* The path itself takes the place of the first access. */
    [NONO_QUERY_REASON_GRANTED_PATH] = {TEXT_ALLOWED, TEXT_GRANTED_PATH, true, {TEXT_GRANTED_PATH, TEXT_ACCESS}},
    [NONO_QUERY_REASON_INSUFFICIENT_ACCESS] = {TEXT_DENIED,
                                               TEXT_INSUFFICIENT_ACCESS,
                                               true,
                                               {TEXT_GRANTED, TEXT_REQUESTED}},
    [NONO_QUERY_REASON_PATH_NOT_GRANTED] = {.status = TEXT_DENIED, .reason = TEXT_PATH_NOT_GRANTED},
    [NONO_QUERY_REASON_NETWORK_ALLOWED] = {.status = TEXT_ALLOWED, .reason = TEXT_NETWORK_ALLOWED},
    [NONO_QUERY_REASON_NETWORK_BLOCKED] = {.status = TEXT_DENIED, .reason = TEXT_NETWORK_BLOCKED},
};
static const enum text ACCESS_TEXTS[ACCESS_MODE_COUNT] = {TEXT_READ, TEXT_WRITE, TEXT_READ_WRITE};

static bool add(const struct module_state *state, PyObject *dict, enum text key, enum text value) {
    return PyDict_SetItem(dict, state->texts[key], state->texts[value]) == 0;
}

static PyObject *make_answer(const struct module_state *state, int reason, int first, int second) {
    PyObject *dict = PyDict_New();
    bool made = dict != NULL && add(state, dict, TEXT_STATUS, SHAPES[reason].status) &&
                add(state, dict, TEXT_REASON, SHAPES[reason].reason);
    if (made && SHAPES[reason].has_accesses) {
        made = add(state, dict, SHAPES[reason].keys[0], ACCESS_TEXTS[first]) &&
               add(state, dict, SHAPES[reason].keys[1], ACCESS_TEXTS[second]);
    }
    if (!made) {
        Py_CLEAR(dict);
    }
    return dict;
}

static bool make_answers(struct module_state *state) {
    for (int reason = 0; reason < QUERY_REASON_COUNT; reason++) {
        int accesses = SHAPES[reason].has_accesses ? ACCESS_MODE_COUNT : 1;
        for (int i = 0; i < accesses * accesses; i++) {
            PyObject *made = make_answer(state, reason, i / ACCESS_MODE_COUNT, i % ACCESS_MODE_COUNT);
            if (made == NULL) {
                return false;
            }
            state->answers[reason][i] = made;
        }
    }
    return true;
}

/* An answer as a dict of its own. Answers differ in few ways but for a path, so each is made once and copied, which
 * takes half the time. */
static PyObject *answer(PyObject *self, enum NonoQueryReason reason, uint32_t first, uint32_t second) {
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    return PyDict_Copy(state->answers[reason][SHAPES[reason].has_accesses ? first * ACCESS_MODE_COUNT + second : 0]);
}

static PyObject *granted_path(PyObject *self, const struct NonoPathAnswer *found) {
    const struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
    PyObject *path = module_path(found->path);
    PyObject *dict = path == NULL ? NULL : answer(self, found->reason, 0, found->access);
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
    return found.reason == NONO_QUERY_REASON_GRANTED_PATH ? granted_path(self, &found)
                                                          : answer(self, found.reason, found.access, mode);
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
    return module_add_class(module, &spec, &state->query_context_type) && make_answers(state);
}
