/*
 * link.c - import matching, and its messages: what was expected, what was given.
 */
#include "link.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- text for messages ---------------------------------------------------------------------- */

/* A message under construction: what does not fit is cut off. */
typedef struct Text {
    size_t length;
    char data[256];
} Text;

static void append(Text *t, const char *format, ...) PRINTF(2, 3);
static void append(Text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->data + t->length, sizeof t->data - t->length, format, args);
    va_end(args);
    if (n > 0) t->length += (size_t)n;
    if (t->length >= sizeof t->data) t->length = sizeof t->data - 1;
}

/* Names come from the guest: bounded. */
static void append_name(Text *t, Name name) {
    append(t, "\"%.*s\"", (int)min_u32(name.size, 64), name.data);
}

static void append_type(Text *t, ValType type) {
    char buffer[64];
    wr_type_print(type, buffer, sizeof buffer);
    append(t, "%s", buffer);
}

static void append_types(Text *t, const ValType *types, u32 n) {
    append(t, "[");
    for (u32 i = 0; i < n; i++) {
        if (i) append(t, " ");
        append_type(t, types[i]);
    }
    append(t, "]");
}

static void append_func_type(Text *t, const DefType *type) {
    append_types(t, type->types, type->nparams);
    append(t, " -> ");
    append_types(t, type->types + type->nparams, type->nresults);
}

static const char *kind_name(ExternKind kind) {
    static const char *const names[] = {
        [EXT_FUNC] = "function", [EXT_TABLE] = "table", [EXT_MEMORY] = "memory",
        [EXT_GLOBAL] = "global", [EXT_TAG] = "tag",
    };
    return names[kind];
}

/* ---- kinds ---------------------------------------------------------------------------------- */

/* Limits given match limits imported: at least as many now, at most as many ever. */
static bool limits_match(u64 size, bool has_max, u64 max, const Limits *wanted) {
    return size >= wanted->min && (!wanted->has_max || (has_max && max <= wanted->max));
}

static void explain_limits(Text *why, u64 size, bool has_max, u64 max, const Limits *wanted) {
    append(why, "expected at least %llu", (unsigned long long)wanted->min);
    if (wanted->has_max) append(why, " and at most %llu", (unsigned long long)wanted->max);
    append(why, ", found %llu", (unsigned long long)size);
    if (has_max) append(why, " growing to %llu", (unsigned long long)max);
}

static bool defined_types_match(const DefType *given, const DefType *wanted, bool exact,
                                Text *why) {
    if (exact ? given == wanted : def_is_subtype(given, wanted)) return true;
    append(why, exact ? "expected exactly " : "expected ");
    append_func_type(why, wanted);
    append(why, ", found ");
    append_func_type(why, given);
    return false;
}

static bool same_type(const TypeTable *types, ValType a, ValType b) {
    return wr_type_matches(types, a, b) && wr_type_matches(types, b, a);
}

static bool table_matches(const TypeTable *types, const Table *given, const TableDecl *wanted,
                          Text *why) {
    if (!same_type(types, given->type, wanted->type)) {
        append(why, "expected elements of type ");
        append_type(why, wanted->type);
        append(why, ", found ");
        append_type(why, given->type);
    } else if (given->is_64 != wanted->limits.is_64) {
        append(why, "different address types");
    } else if (!limits_match(given->size, given->has_max, given->max, &wanted->limits)) {
        explain_limits(why, given->size, given->has_max, given->max, &wanted->limits);
    } else {
        return true;
    }
    return false;
}

static bool memory_matches(const Memory *given, const MemoryDecl *wanted, Text *why) {
    if (given->is_64 != wanted->limits.is_64) {
        append(why, "different address types");
    } else if (given->is_shared != wanted->limits.is_shared) {
        append(why, "one is shared, the other is not");
    } else if (given->page_size_log2 != wanted->page_size_log2) {
        append(why, "different page sizes");
    } else if (!limits_match(memory_pages(given), given->has_max, given->max_pages,
                             &wanted->limits)) {
        explain_limits(why, memory_pages(given), given->has_max, given->max_pages, &wanted->limits);
    } else {
        return true;
    }
    return false;
}

static bool global_matches(const TypeTable *types, const Global *given, const GlobalDecl *wanted,
                           Text *why) {
    if (given->mutable != wanted->mutable) {
        append(why, "expected %s global", wanted->mutable ? "a mutable" : "an immutable");
        return false;
    }
    bool matches = wanted->mutable ? same_type(types, given->type, wanted->type)
                                   : wr_type_matches(types, given->type, wanted->type);
    if (matches) return true;
    append(why, "expected type ");
    append_type(why, wanted->type);
    append(why, ", found ");
    append_type(why, given->type);
    return false;
}

/* ---- imports -------------------------------------------------------------------------------- */

static bool matches(const Module *m, const Import *import, const ExternVal *given, Text *why) {
    const TypeTable *types = m->engine->types;
    u32 index = import->index;
    if (given->kind != import->kind) {
        append(why, "expected a %s, found a %s", kind_name(import->kind), kind_name(given->kind));
        return false;
    }
    switch (import->kind) {
    case EXT_FUNC:
        return defined_types_match(given->of.func->type, m->funcs[index].type,
                                   m->funcs[index].exact, why);
    case EXT_TABLE: return table_matches(types, given->of.table, &m->tables[index], why);
    case EXT_MEMORY: return memory_matches(given->of.memory, &m->memories[index], why);
    case EXT_GLOBAL: return global_matches(types, given->of.global, &m->globals[index], why);
    case EXT_TAG: return defined_types_match(given->of.tag->type, m->tags[index].type, true, why);
    }
    return false;
}

static Error *link_error(const char *what, const Import *import, const Text *why) {
    Text name = {0};
    append_name(&name, import->module);
    append(&name, " ");
    append_name(&name, import->name);
    return wr_error_at(WR_ERROR_UNLINKABLE, NO_OFFSET, "%s: %s %s%s%s", what,
                       kind_name(import->kind), name.data, why->length ? ": " : "", why->data);
}

Error *wr_link_check(const Module *module, const ExternVal *given) {
    for (u32 i = 0; i < module->nimports; i++) {
        Text why = {0};
        if (!matches(module, &module->imports[i], &given[i], &why)) {
            return link_error("incompatible import type", &module->imports[i], &why);
        }
    }
    return NULL;
}

Error *wr_link_unknown(const Import *import) {
    return link_error("unknown import", import, &(Text){0});
}
