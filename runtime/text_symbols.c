/*
 * text_symbols.c - identifiers: a hash table with open addressing, and taking indices (spec:
 * text/types, indices). Identifiers are told apart by their characters, however they are written.
 */
#include "text_module.h"
#include "text_number.h"

void wr_symbols_init(Symbols *s, const Alloc *alloc) { *s = (Symbols){.alloc = alloc}; }

void wr_symbols_free(Symbols *s) {
    wr_free(s->alloc, s->slots, s->capacity * sizeof *s->slots);
    wr_symbols_init(s, s->alloc);
}

static u64 mix(u64 a, u64 b) {
    u64 x = (a ^ b) * 0x9E3779B97F4A7C15u;
    return x ^ x >> 29;
}

static u32 hash_of(u32 space, u32 scope, Name name) {
    u64 h = mix((u64)space << 32 | scope, 0x243F6A8885A308D3u + name.size);
    u32 i = 0;
    for (; name.size - i >= 8; i += 8) h = mix(h, le64_load(name.data + i));
    u64 tail = 0;
    for (; i < name.size; i++) tail = tail << 8 | (u8)name.data[i];
    return (u32)(mix(h, tail) >> 16);
}

static bool is_same(const Symbol *s, u32 hash, u32 space, u32 scope, Name name) {
    return s->hash == hash && s->space == space && s->scope == scope &&
           wr_name_compare(s->name, name) == 0;
}

/* Where it is, or where it would be. */
static Symbol *find_slot(const Symbols *s, u32 hash, u32 space, u32 scope, Name name) {
    u32 mask = s->capacity - 1;
    for (u32 i = hash & mask;; i = (i + 1) & mask) {
        Symbol *slot = &s->slots[i];
        if (slot->name.data == NULL || is_same(slot, hash, space, scope, name)) return slot;
    }
}

Symbol *wr_symbols_find(const Symbols *s, u32 space, u32 scope, Name name) {
    if (s->count == 0 || name.data == NULL) return NULL;
    Symbol *slot = find_slot(s, hash_of(space, scope, name), space, scope, name);
    return slot->name.data == NULL ? NULL : slot;
}

static bool grow(Symbols *s) {
    u32 capacity = s->capacity == 0 ? 64 : s->capacity * 2;
    if (capacity < s->capacity) return false;
    Symbols longer = {.alloc = s->alloc, .capacity = capacity, .count = s->count, .slots = NULL};
    longer.slots = wr_alloc_array(s->alloc, capacity, sizeof *longer.slots);
    if (longer.slots == NULL) return false;
    for (u32 i = 0; i < s->capacity; i++) {
        const Symbol *old = &s->slots[i];
        if (old->name.data != NULL)
            *find_slot(&longer, old->hash, old->space, old->scope, old->name) = *old;
    }
    wr_symbols_free(s);
    *s = longer;
    return true;
}

Symbol *wr_symbols_add(Symbols *s, u32 space, u32 scope, Name name) {
    if (s->count >= s->capacity / 2 && !grow(s)) return NULL;
    u32 hash = hash_of(space, scope, name);
    Symbol *slot = find_slot(s, hash, space, scope, name);
    if (slot->name.data == NULL) {
        *slot = (Symbol){name, space, scope, hash, NONE_U32};
        s->count++;
    }
    return slot;
}

/* ---- binding and indices ---- */

const char *wr_text_space_name(TextSpace space) {
    static const char *const names[] = {
        [NAMES_TYPE] = "type",         [NAMES_FUNC] = "function",
        [NAMES_TABLE] = "table",       [NAMES_MEMORY] = "memory",
        [NAMES_GLOBAL] = "global",     [NAMES_TAG] = "tag",
        [NAMES_ELEM] = "elem segment", [NAMES_DATA] = "data segment",
        [NAMES_FIELD] = "field",       [NAMES_LOCAL] = "local",
        [NAMES_LABEL] = "label",       [NAMES_SIGNATURE] = "signature",
    };
    return names[space];
}

static int shown(const Token *id) { return id->size < 200 ? (int)id->size : 200; }

void wr_text_bind(Parser *p, TextSpace space, u32 scope, const Token *id, u32 index) {
    Name name = wr_text_id(p->t, id, &p->arena);
    if (name.data == NULL) return;
    Symbol *symbol = wr_symbols_add(&p->symbols, space, scope, name);
    if (symbol == NULL)
        wr_text_fail_memory(p->t);
    else if (symbol->value != NONE_U32)
        wr_text_fail(p->t, id, "duplicate %s %.*s", wr_text_space_name(space), shown(id),
                     id->start);
    else
        symbol->value = index;
}

/* What an identifier is bound to; an error if to nothing. */
static u32 resolve(Parser *p, TextSpace space, u32 scope, const Token *id) {
    Name name = wr_text_id(p->t, id, &p->arena);
    if (name.data == NULL) return 0;
    const Symbol *symbol = wr_symbols_find(&p->symbols, space, scope, name);
    if (symbol != NULL && symbol->value != NONE_U32) return symbol->value;
    wr_text_fail(p->t, id, "unknown %s %.*s", wr_text_space_name(space), shown(id), id->start);
    return 0;
}

u32 wr_text_index(Parser *p, TextSpace space, u32 scope) {
    TextReader *t = p->t;
    if (t->token.kind != TOKEN_ID) return (u32)wr_text_read_nat(t, 32);
    Token id = t->token;
    wr_text_next(t);
    return resolve(p, space, scope, &id);
}

u32 wr_text_index_or_0(Parser *p, TextSpace space) {
    return wr_text_is_index(p->t) ? wr_text_index(p, space, 0) : 0;
}
