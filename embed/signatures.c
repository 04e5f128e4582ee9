/*
 * signatures.c - the types of functions as strings: "iI>f".
 */
#include "externs.h"
#include "values.h"

static const struct {
    char letter;
    wr_valkind_t kind;
} letters[] = {
    {'i', WR_I32},     {'I', WR_I64},       {'f', WR_F32},    {'F', WR_F64},    {'v', WR_V128},
    {'c', WR_FUNCREF}, {'e', WR_EXTERNREF}, {'a', WR_ANYREF}, {'x', WR_EXNREF},
};

ValType wr_type_of_kind(wr_valkind_t kind) {
    switch (kind) {
    case WR_I32: return T_I32;
    case WR_I64: return T_I64;
    case WR_F32: return T_F32;
    case WR_F64: return T_F64;
    case WR_V128: return T_V128;
    case WR_FUNCREF: return T_FUNCREF;
    case WR_EXTERNREF: return T_EXTERNREF;
    case WR_ANYREF: return T_REF(HEAP_ANY, 1);
    case WR_EXNREF: return T_EXNREF;
    }
    return T_BOT;
}

static ValType type_of_letter(char letter) {
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].letter == letter) return wr_type_of_kind(letters[i].kind);
    }
    return T_BOT;
}

static char letter_of_type(const TypeTable *types, ValType type) {
    wr_valkind_t kind = wr_value_kind(types, type);
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].kind == kind) return letters[i].letter;
    }
    return '?';
}

/* Letters up to `end`, appended to the types. False if there is another letter, or too many. */
static bool parse_letters(ParsedSignature *s, const char **text, char end, u32 max, u32 *count) {
    for (*count = 0; **text != end; (*text)++, (*count)++) {
        ValType type = type_of_letter(**text);
        if (type == T_BOT || *count == max) return false;
        s->types[s->nparams + *count] = type;
    }
    return true;
}

bool wr_signature_parse(ParsedSignature *s, const char *text) {
    s->nparams = 0;
    u32 nparams;
    if (!parse_letters(s, &text, '>', LIMIT_PARAMS, &nparams)) return false;
    s->nparams = nparams;
    text++;
    return parse_letters(s, &text, '\0', LIMIT_RESULTS, &s->nresults);
}

size_t wr_signature_print(const TypeTable *types, const DefType *type, char *buffer, size_t size) {
    size_t n = (size_t)type->nparams + 1 + type->nresults;
    for (size_t i = 0; i < n && i + 1 < size; i++) {
        size_t k = i > type->nparams ? i - 1 : i; /* the '>' is no type */
        buffer[i] = i == type->nparams ? '>' : letter_of_type(types, type->types[k]);
    }
    if (size > 0) buffer[n < size ? n : size - 1] = 0;
    return n;
}
