/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the extension module share: the module's state, one struct
 * for each Python class, and the functions that one file offers to the others.
 *
 * The module keeps nothing outside its state, so every interpreter that imports
 * it has its own. No class can be subclassed, so the type of an instance always
 * leads to the module: PyType_GetModuleState(Py_TYPE(self)).
 */
#ifndef NONO_PY_EXTENSION_H
#define NONO_PY_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <nono.h>
#include <stdbool.h>

#define ACCESS_MODE_COUNT 3
#define QUERY_REASON_COUNT 5

/* The keys and values of query results, made once; module.c holds their texts. */
enum text {
    TEXT_STATUS,
    TEXT_REASON,
    TEXT_GRANTED_PATH,
    TEXT_ACCESS,
    TEXT_GRANTED,
    TEXT_REQUESTED,
    TEXT_ALLOWED,
    TEXT_DENIED,
    TEXT_NETWORK_ALLOWED,
    TEXT_PATH_NOT_GRANTED,
    TEXT_INSUFFICIENT_ACCESS,
    TEXT_NETWORK_BLOCKED,
    TEXT_READ,
    TEXT_WRITE,
    TEXT_READ_WRITE,
    TEXT_COUNT
};

struct module_state {
    PyTypeObject *access_mode_type;
    PyTypeObject *capability_source_type;
    PyTypeObject *fs_capability_type;
    PyTypeObject *capability_set_type;
    PyTypeObject *support_info_type;
    PyTypeObject *sandbox_state_type;
    PyTypeObject *query_context_type;
    PyTypeObject *prepared_sandbox_type;
    PyTypeObject *process_type;
    PyObject *access_modes[ACCESS_MODE_COUNT]; /* indexed by NONO_ACCESS_MODE_* */
    PyObject *texts[TEXT_COUNT];
    /* What query_context.c copies: for each reason, for each pair of accesses. */
    PyObject *answers[QUERY_REASON_COUNT][ACCESS_MODE_COUNT * ACCESS_MODE_COUNT];
};

/* The conversions that clang and GCC call pedantic; POSIX and CPython's slots rest on them. */
#define SLOT(id, function) {(id), __extension__(void *)(function)}
/* A method with arguments_parse(): METH_FASTCALL | METH_KEYWORDS. */
#define KEYWORD_METHOD(name, function, doc)                                                                            \
    {(name), (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS, (doc)}
/* A function that nono_py calls with positional arguments. */
#define POSITIONAL_METHOD(name, function) {(name), (PyCFunction)(void (*)(void))(function), METH_FASTCALL, NULL}

/* Also for None and the like: Py_RETURN_NONE of the headers from 3.12 on counts on None being immortal, which it is not
 * in the older versions that the stable ABI promises to run on. */
static inline PyObject *new_reference(PyObject *object) {
    Py_INCREF(object);
    return object;
}

/* arguments.c */

#define MAX_PARAMETERS 2

struct signature {
    const char *function; /* as error messages name it, without the parentheses */
    const char *parameters[MAX_PARAMETERS + 1];
    const char *const *flags; /* NULL-terminated names of keyword-only bools, or NULL; see arguments_parse_flags() */
};

/* Sorts the arguments of a vectorcall into values, one for each parameter, as
 * borrowed references. False with a TypeError set if they do not fit. */
bool arguments_parse(const struct signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                     PyObject **values);
/* The same with signature->flags: sets bit i of *flags if flag i is True. */
bool arguments_parse_flags(const struct signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                           PyObject **values, uint64_t *flags);
/* The same for tp_new, which is given a tuple and a dict (or NULL). */
bool arguments_parse_new(const struct signature *signature, PyObject *args, PyObject *keywords, PyObject **values);

/* Returns the bytes of a path given as str, bytes or os.PathLike: a new reference
 * to an immutable object, safe to read without the GIL. */
PyObject *argument_path(PyObject *value);
/* Returns the UTF-8 of a str, which lives as long as the str, or NULL. */
const char *argument_text(const char *name, PyObject *value, Py_ssize_t *length);
bool argument_mode(const struct module_state *state, PyObject *value, uint32_t *mode);
struct NonoCapabilitySet *argument_caps(const struct module_state *state, PyObject *value);

/* errors.c: raise what the library's last error says, and return NULL. */

PyObject *raise_last_error(enum NonoErrorCode code);
PyObject *raise_last_error_as(PyObject *exception_class);
/* For functions that return a handle and no code. */
PyObject *raise_last_path_error(void);

/* sandbox.c */

/* The functions about the sandbox itself, for the module's table of methods. */
PyObject *sandbox_apply(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *sandbox_unenforced(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *sandbox_status(PyObject *module, PyObject *ignored);
PyObject *sandbox_is_supported(PyObject *module, PyObject *ignored);
/* A new list of the names of NONO_UNENFORCED_* bits. */
PyObject *sandbox_unenforced_names(uint64_t unenforced);
PyObject *sandbox_prepare(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
extern const char sandbox_apply_doc[];
extern const char sandbox_prepare_doc[];
extern const char sandbox_unenforced_doc[];
extern const char sandbox_status_doc[];
extern const char sandbox_is_supported_doc[];

/* diagnostics.c */

/* Functions for nono_py itself, positional; see _nono_py.pyi. */
PyObject *diagnostics_report(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *diagnostics_of_session(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *diagnostics_merge(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* programs.c */

PyObject *programs_allow(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *programs_requirements(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *programs_explain(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names);
extern const char programs_allow_doc[];
extern const char programs_requirements_doc[];
extern const char programs_explain_doc[];

/* module.c */

/* Creates a class, stores it in *type and adds it to the module under its name. */
bool module_add_class(PyObject *module, PyType_Spec *spec, PyTypeObject **type);
/* Gives a class static methods whose self is the class, which leads them to the module. */
bool module_add_static_methods(PyTypeObject *type, PyMethodDef *methods);
/* tp_new of the classes that only the module itself makes. */
PyObject *module_refuse_new(PyTypeObject *type, PyObject *args, PyObject *keywords);
/* Turns UTF-8 of the library into a str, and releases it. */
PyObject *module_take_text(char *text);
/* Decodes a path of the library as os.fsdecode() does: bytes that are no text become surrogate escapes. */
PyObject *module_path(const char *path);

/* One file for each class. *_init() adds the class to the module. */

bool access_mode_init(PyObject *module, struct module_state *state);
PyObject *access_mode_get(const struct module_state *state, uint32_t mode); /* new reference */
const char *access_mode_text(PyObject *access);
uint32_t access_mode_value(PyObject *access);

bool capability_source_init(PyObject *module, struct module_state *state);
/* group is the name of the group, or NULL for the other tags; a new reference is taken. */
PyObject *capability_source_create(const struct module_state *state, enum NonoCapabilitySourceTag tag, PyObject *group);

bool fs_capability_init(PyObject *module, struct module_state *state);
/* One grant of a CapabilitySet that does not change any more. */
PyObject *fs_capability_create(const struct module_state *state, PyObject *caps, uintptr_t index);

bool capability_set_init(PyObject *module, struct module_state *state);
/* Owns the handle from the call on, also if it fails. */
PyObject *capability_set_create(const struct module_state *state, struct NonoCapabilitySet *handle);
struct NonoCapabilitySet *capability_set_handle(PyObject *caps);

bool support_info_init(PyObject *module, struct module_state *state);
PyObject *support_info_create(const struct module_state *state);

bool sandbox_state_init(PyObject *module, struct module_state *state);
bool query_context_init(PyObject *module, struct module_state *state);

bool prepared_sandbox_init(PyObject *module, struct module_state *state);
bool process_init(PyObject *module, struct module_state *state);
/* Both own what they are given from the call on, also if they fail. caps is the set as it was, or NULL after an error.
 */
PyObject *prepared_sandbox_create(const struct module_state *state, struct NonoPreparedSandbox *handle, PyObject *caps);
PyObject *process_create(const struct module_state *state, struct NonoProcess *handle);

#endif
