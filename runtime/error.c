/*
 * error.c - the error object: making, backtraces, rendering, and the public accessors.
 *
 * Errors come from the system's allocator: they outlive the engine that they tell about.
 */
#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "alloc.h"
#include "lazy_bodies.h"
#include "module.h"
#include "object.h"
#include "utf8.h"

#define MESSAGE_MAX 1024 /* bytes, then "..." */
#define NAME_MAX_SHOWN 512
#define END_FRAMES BACKTRACE_END

/* A frame and its names, in one block. */
typedef struct FrameText {
    wr_frame_t frame;
    char *text;
    size_t size;
} FrameText;

typedef struct Backtrace {
    size_t total;
    /* the innermost ones, then a ring of the outermost: frame i >= END_FRAMES is at
     * END_FRAMES + i % END_FRAMES */
    FrameText frames[2 * END_FRAMES];
} Backtrace;

struct wr_error {
    wr_error_kind_t kind;
    wr_trap_code_t trap;
    u32 exit_status;
    u64 offset;
    Store *store; /* WR_ERROR_EXCEPTION: of which `exception` is an object; listed in its errors */
    u32 exception;
    Error *previous, *next;
    size_t lost_frames; /* counted when there was no memory for a Backtrace */
    Backtrace *backtrace;
    const char *message;
    const char *place, *excerpt; /* in a text, else NULL: "FILE:LINE:COLUMN"; two lines */
    void *data;                  /* the embedder's, and what runs with it at the end */
    void (*finalizer)(void *data);
    size_t block_size; /* of this and the texts behind it */
};

Error wr_error_oom_object = {
    .kind = WR_ERROR_MEMORY, .offset = NO_OFFSET, .message = "out of memory"};
Error wr_error_paused_object = {.offset = NO_OFFSET, .message = ""};

/* ---- making ---- */

/* With room for `extra` more bytes behind the message. */
static Error *new_error_and(wr_error_kind_t kind, u64 offset, const char *text, size_t length,
                            size_t extra) {
    size_t size = wr_text_escape(NULL, 0, text, length) + 1;
    Error *error = wr_alloc_zero(&wr_alloc_system, sizeof(Error) + size + extra);
    if (error == NULL) return ERROR_OOM;
    char *message = (char *)(error + 1);
    (void)wr_text_escape(message, size, text, length);
    error->kind = kind;
    error->trap =
        kind == WR_ERROR_TRAP ? WR_TRAP_HOST : WR_TRAP_NONE; /* unless the caller knows better */
    error->offset = offset;
    error->message = message;
    error->block_size = sizeof(Error) + size + extra;
    return error;
}

static Error *new_error(wr_error_kind_t kind, u64 offset, const char *text, size_t length) {
    return new_error_and(kind, offset, text, length, 0);
}

/* Cuts text that was too long at the end of a character and marks the place. */
static size_t cut(char *text, size_t length) {
    if (length < MESSAGE_MAX) return length;
    length = MESSAGE_MAX - 1;
    while (length > 0 && ((u8)text[length] & 0xC0) == 0x80) length--;
    memcpy(text + length, "...", 4);
    return length + 3;
}

static Error *format_error(wr_error_kind_t kind, u64 offset, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static Error *format_error(wr_error_kind_t kind, u64 offset, const char *format, va_list args) {
    char text[MESSAGE_MAX + 4];
    int length = vsnprintf(text, MESSAGE_MAX + 1, format, args);
    if (length < 0) return ERROR_OOM;
    return new_error(kind, offset, text, cut(text, (size_t)length));
}

Error *wr_error_at(wr_error_kind_t kind, u64 offset, const char *format, ...) {
    va_list args;
    va_start(args, format);
    Error *error = format_error(kind, offset, format, args);
    va_end(args);
    return error;
}

wr_error_t *wr_error_new(wr_error_kind_t kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    Error *error = format_error(kind, NO_OFFSET, format, args);
    va_end(args);
    return error;
}

/* ---- errors in texts ---- */

#define EXCERPT_BYTES 100u /* of a line; as many characters fit on most screens */
#define PLACE_FILE_MAX 400

static bool is_continuation(char c) { return ((u8)c & 0xC0) == 0x80; }

/* Which part of the line is shown: all, or what surrounds the column. Never half a character; but
 * bytes that are no UTF-8 at all are cut anywhere. */
static void find_excerpt(const TextPlace *p, const char **start, const char **end) {
    const char *line_end = p->line_start + (p->column - 1);
    while (line_end < p->end && *line_end != '\n' && *line_end != '\r') line_end++;
    *start = p->line_start;
    if (p->column > EXCERPT_BYTES / 2 && line_end - p->line_start > (ptrdiff_t)EXCERPT_BYTES)
        *start = p->line_start + (p->column - EXCERPT_BYTES / 2);
    for (u32 i = 0; i < 3 && *start > p->line_start && is_continuation(**start); i++) --*start;
    *end = line_end;
    if (line_end - *start > (ptrdiff_t)EXCERPT_BYTES) *end = *start + EXCERPT_BYTES;
    for (u32 i = 0; i < 3 && *end < line_end && is_continuation(**end); i++) ++*end;
}

static size_t count_characters(const char *text) {
    size_t n = 0;
    for (; *text != 0; text++) n += ((u8)*text & 0xC0) != 0x80;
    return n;
}

/* What people read, tabs as blanks. Gives how many characters that is. */
static size_t escape_piece(char *out, size_t size, const char *start, const char *end) {
    char piece[2 * EXCERPT_BYTES];
    size_t length = (size_t)(end - start);
    ASSERT(length <= sizeof piece);
    for (size_t i = 0; i < length; i++) piece[i] = start[i] == '\t' ? ' ' : start[i];
    (void)wr_text_escape(out, size, piece, length);
    return count_characters(out);
}

/* "  the line\n     ^~~~\n" */
static void print_excerpt(const TextPlace *p, char *out, size_t size) {
    const char *start, *end, *at = p->line_start + (p->column - 1);
    find_excerpt(p, &start, &end);
    const char *after = (size_t)(end - at) < p->size ? end : at + p->size;
    char before[8 * EXCERPT_BYTES], marked[8 * EXCERPT_BYTES], rest[8 * EXCERPT_BYTES];
    size_t indent = escape_piece(before, sizeof before, start, at);
    size_t width = escape_piece(marked, sizeof marked, at, after);
    (void)escape_piece(rest, sizeof rest, after, end);
    int n = snprintf(out, size, "  %s%s%s\n  %*s^", before, marked, rest, (int)indent, "");
    size_t length = n > 0 ? (size_t)n : 0;
    for (; width > 1 && length + 2 < size; width--) out[length++] = '~';
    memcpy(out + length, "\n", 2);
}

Error *wr_error_in_text(wr_error_kind_t kind, const TextPlace *p, const char *message) {
    char place[PLACE_FILE_MAX + 32], excerpt[32 * EXCERPT_BYTES];
    size_t column = 1;
    for (const char *c = p->line_start; c < p->line_start + (p->column - 1); c++)
        column += ((u8)*c & 0xC0) != 0x80;
    (void)snprintf(place, sizeof place, "%.*s:%u:%zu", PLACE_FILE_MAX, p->file, (unsigned)p->line,
                   column);
    print_excerpt(p, excerpt, sizeof excerpt);
    size_t place_size = wr_text_escape(NULL, 0, place, strlen(place)) + 1;
    size_t excerpt_size = strlen(excerpt) + 1;
    Error *error =
        new_error_and(kind, NO_OFFSET, message, strlen(message), place_size + excerpt_size);
    if (error == ERROR_OOM) return error;
    char *texts = (char *)error + error->block_size - place_size - excerpt_size;
    (void)wr_text_escape(texts, place_size, place, strlen(place));
    memcpy(texts + place_size, excerpt, excerpt_size);
    error->place = texts;
    error->excerpt = texts + place_size;
    return error;
}

/* ---- traps and exits ---- */

static const char *const trap_messages[] = {
    [WR_TRAP_NONE] = "no trap",
    [WR_TRAP_UNREACHABLE] = "unreachable",
    [WR_TRAP_MEMORY_OUT_OF_BOUNDS] = "out of bounds memory access",
    [WR_TRAP_TABLE_OUT_OF_BOUNDS] = "out of bounds table access",
    [WR_TRAP_ARRAY_OUT_OF_BOUNDS] = "out of bounds array access",
    [WR_TRAP_UNDEFINED_ELEMENT] = "undefined element",
    [WR_TRAP_UNINITIALIZED_ELEMENT] = "uninitialized element",
    [WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH] = "indirect call type mismatch",
    [WR_TRAP_INTEGER_DIVIDE_BY_ZERO] = "integer divide by zero",
    [WR_TRAP_INTEGER_OVERFLOW] = "integer overflow",
    [WR_TRAP_INVALID_CONVERSION_TO_INTEGER] = "invalid conversion to integer",
    [WR_TRAP_NULL_REFERENCE] = "null reference",
    [WR_TRAP_NULL_FUNCTION_REFERENCE] = "null function reference",
    [WR_TRAP_NULL_STRUCTURE_REFERENCE] = "null structure reference",
    [WR_TRAP_NULL_ARRAY_REFERENCE] = "null array reference",
    [WR_TRAP_NULL_I31_REFERENCE] = "null i31 reference",
    [WR_TRAP_NULL_EXCEPTION_REFERENCE] = "null exception reference",
    [WR_TRAP_NULL_DESCRIPTOR_REFERENCE] = "null descriptor reference",
    [WR_TRAP_CAST_FAILURE] = "cast failure",
    [WR_TRAP_DESCRIPTOR_CAST_FAILURE] = "descriptor cast failure",
    [WR_TRAP_UNALIGNED_ATOMIC] = "unaligned atomic",
    [WR_TRAP_EXPECTED_SHARED_MEMORY] = "expected shared memory",
    [WR_TRAP_STACK_EXHAUSTED] = "call stack exhausted",
    [WR_TRAP_ALLOCATION_FAILURE] = "allocation failure",
    [WR_TRAP_OUT_OF_FUEL] = "out of fuel",
    [WR_TRAP_DEADLINE] = "deadline exceeded",
    [WR_TRAP_INTERRUPTED] = "interrupted",
    [WR_TRAP_HOST] = "host function failed",
};

const char *wr_trap_message(wr_trap_code_t code) {
    return (size_t)code < ARRAY_LEN(trap_messages) ? trap_messages[code] : "unknown trap";
}

static Error *new_trap(wr_trap_code_t code, const char *message) {
    Error *error = wr_error_new(WR_ERROR_TRAP, "%s", message);
    if (error != ERROR_OOM) error->trap = code;
    return error;
}

Error *wr_error_trap(wr_trap_code_t code) { return new_trap(code, wr_trap_message(code)); }

Error *wr_error_trap_element(wr_trap_code_t code, u64 element) {
    char text[80];
    snprintf(text, sizeof text, "%s %" PRIu64, wr_trap_message(code), element);
    return new_trap(code, text);
}

wr_error_t *wr_trap_new(const char *message) { return new_trap(WR_TRAP_HOST, message); }

wr_error_t *wr_exit_new(uint32_t status) {
    Error *error = wr_error_new(WR_ERROR_EXIT, "exit with status %u", (unsigned)status);
    if (error != ERROR_OOM) error->exit_status = status;
    return error;
}

/* ---- exceptions ---- */

#define SHOWN_VALUES 4u

/* " 1, 2.5" of the payload's first values that are numbers. */
static void print_payload(char *text, size_t size, const DefType *type, const Slot *payload) {
    size_t length = 0;
    text[0] = 0;
    for (u32 i = 0; i < type->nparams && i < SHOWN_VALUES; i++) {
        char *at = text + length;
        size_t room = size - length;
        const char *comma = i > 0 ? ", " : " ";
        switch ((unsigned)type_kind(type->types[i])) {
        case VK_I32: snprintf(at, room, "%s%" PRId32, comma, payload->i32); break;
        case VK_I64: snprintf(at, room, "%s%" PRId64, comma, payload->i64); break;
        case VK_F32: snprintf(at, room, "%s%g", comma, (double)payload->f32); break;
        case VK_F64: snprintf(at, room, "%s%g", comma, payload->f64); break;
        default: snprintf(at, room, "%s...", comma); break;
        }
        length += strlen(at);
        payload += type_slots(type->types[i]);
    }
    if (type->nparams > SHOWN_VALUES) snprintf(text + length, size - length, ", ...");
}

Error *wr_error_exception(Store *store, u32 ref) {
    const DefType *type = exception_tag(store, ref)->type;
    char text[160];
    Slot payload[2 * SHOWN_VALUES];
    wr_exception_payload(store, ref, payload, 2 * SHOWN_VALUES);
    print_payload(text, sizeof text, type, payload);
    Error *error = wr_error_new(WR_ERROR_EXCEPTION, "exception%s", text);
    if (error == ERROR_OOM) return error;
    error->store = store;
    error->exception = ref;
    error->next = store->errors;
    if (error->next != NULL) error->next->previous = error;
    return store->errors = error;
}

u32 wr_error_exception_ref(const Error *error, const Store *store) {
    return error->store == store ? error->exception : 0;
}

Store *wr_error_store(const Error *error) { return error->store; }

static void unlist(Error *error) {
    if (error->store == NULL) return;
    if (error->next != NULL) error->next->previous = error->previous;
    if (error->previous != NULL)
        error->previous->next = error->next;
    else
        error->store->errors = error->next;
    error->store = NULL;
}

void wr_errors_visit(Store *store, void (*visit)(void *context, u64 ref), void *context) {
    for (const Error *e = store->errors; e != NULL; e = e->next) visit(context, e->exception);
}

void wr_error_detach(wr_error_t *error) { unlist(error); }

void wr_errors_forget(Store *store) {
    while (store->errors != NULL) unlist(store->errors);
}

/* ---- backtraces ---- */

static void free_frame(FrameText *f) {
    wr_free(&wr_alloc_system, f->text, f->size);
    *f = (FrameText){0};
}

/* Where the next frame goes; NULL when out of memory. */
static FrameText *next_frame(Error *error) {
    if (error == ERROR_OOM) return NULL; /* shared: stays as it is */
    if (error->backtrace == NULL)
        error->backtrace = wr_alloc_zero(&wr_alloc_system, sizeof(Backtrace));
    Backtrace *b = error->backtrace;
    if (b == NULL) {
        error->lost_frames++;
        return NULL;
    }
    size_t i = b->total++;
    FrameText *f = &b->frames[i < END_FRAMES ? i : END_FRAMES + i % END_FRAMES];
    free_frame(f);
    return f;
}

static size_t shown_size(Name name) {
    size_t size = name.size < NAME_MAX_SHOWN ? name.size : NAME_MAX_SHOWN;
    while (size > 0 && size < name.size && ((u8)name.data[size] & 0xC0) == 0x80) size--;
    return size;
}

/* Copies both names; without memory the frame has none. */
static void set_names(FrameText *f, Name module, Name function) {
    size_t m = shown_size(module), n = shown_size(function);
    size_t msize = module.data == NULL ? 0 : wr_text_escape(NULL, 0, module.data, m) + 1;
    size_t fsize = function.data == NULL ? 0 : wr_text_escape(NULL, 0, function.data, n) + 1;
    f->text = wr_alloc(&wr_alloc_system, msize + fsize);
    if (f->text == NULL) return;
    f->size = msize + fsize;
    if (msize != 0) {
        (void)wr_text_escape(f->text, msize, module.data, m);
        f->frame.module_name = f->text;
    }
    if (fsize != 0) {
        (void)wr_text_escape(f->text + msize, fsize, function.data, n);
        f->frame.function_name = f->text + msize;
    }
}

void wr_error_add_frame(Error *error, Instance *instance, u32 func_index, u64 module_offset) {
    const Module *module = instance->module;
    FrameText *f = next_frame(error);
    if (f == NULL) return;
    f->frame.instance = instance;
    f->frame.function_index = func_index;
    f->frame.module_offset = module_offset;
    if (func_index >= module->nimported_funcs && func_index < module->nfuncs)
        f->frame.function_offset = module_offset - wr_body_start(module, func_index);
    set_names(f, wr_module_own_name(module), wr_module_func_name(module, func_index));
}

void wr_error_skip_frames(Error *error, size_t count) {
    if (error == ERROR_OOM) return;
    if (error->backtrace)
        error->backtrace->total += count;
    else
        error->lost_frames += count;
}

void wr_error_add_host_frame(Error *error, const char *module, const char *name) {
    FrameText *f = next_frame(error);
    if (f == NULL) return;
    f->frame.function_index = UINT32_MAX;
    Name m = {module, module == NULL ? 0 : (u32)strlen(module)};
    Name n = {name, name == NULL ? 0 : (u32)strlen(name)};
    set_names(f, m, n);
}

size_t wr_error_frame_total(const wr_error_t *error) {
    return error->lost_frames + (error->backtrace == NULL ? 0 : error->backtrace->total);
}

size_t wr_error_frame_count(const wr_error_t *error) {
    size_t total = error->backtrace == NULL ? 0 : error->backtrace->total;
    return total < 2 * END_FRAMES ? total : 2 * END_FRAMES;
}

bool wr_error_frame(const wr_error_t *error, size_t index, wr_frame_t *frame) {
    if (index >= wr_error_frame_count(error)) return false;
    const Backtrace *b = error->backtrace;
    if (index >=
        END_FRAMES) { /* index in the ring, whose oldest is total - END_FRAMES or the first */
        size_t first = b->total > 2 * END_FRAMES ? b->total - END_FRAMES : END_FRAMES;
        index = END_FRAMES + (first + index - END_FRAMES) % END_FRAMES;
    }
    *frame = b->frames[index].frame;
    return true;
}

/* ---- accessors ---- */

wr_error_kind_t wr_error_kind(const wr_error_t *error) { return error->kind; }

const char *wr_error_message(const wr_error_t *error) { return error->message; }

bool wr_error_offset(const wr_error_t *error, uint64_t *offset) {
    *offset = error->offset;
    return error->offset != NO_OFFSET;
}

const char *wr_error_place(const wr_error_t *error) { return error->place; }

wr_trap_code_t wr_error_trap_code(const wr_error_t *error) { return error->trap; }

bool wr_error_exit_status(const wr_error_t *error, uint32_t *status) {
    *status = error->exit_status;
    return error->kind == WR_ERROR_EXIT;
}

static void finalize(Error *error) {
    void (*finalizer)(void *) = error->finalizer;
    error->finalizer = NULL;
    if (finalizer != NULL) finalizer(error->data);
}

bool wr_error_set_data(wr_error_t *error, void *data, void (*finalizer)(void *data)) {
    if (error == ERROR_OOM) return false;
    finalize(error);
    error->data = data;
    error->finalizer = finalizer;
    return true;
}

void *wr_error_data(const wr_error_t *error) { return error->data; }

void wr_error_delete(wr_error_t *error) {
    if (error == NULL || error == ERROR_OOM) return;
    unlist(error);
    finalize(error);
    if (error->backtrace != NULL) {
        for (size_t i = 0; i < 2 * END_FRAMES; i++) free_frame(&error->backtrace->frames[i]);
        wr_free(&wr_alloc_system, error->backtrace, sizeof(Backtrace));
    }
    wr_free(&wr_alloc_system, error, error->block_size);
}

/* ---- rendering ---- */

typedef struct Output {
    char *buffer;
    size_t size, length; /* length: of all text, whether it fitted or not */
} Output;

static void print(Output *o, const char *format, ...) PRINTF(2, 3);
static void print(Output *o, const char *format, ...) {
    size_t room = o->length < o->size ? o->size - o->length : 0;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(room == 0 ? NULL : o->buffer + o->length, room, format, args);
    va_end(args);
    if (n > 0) o->length += (size_t)n;
}

static const char *kind_label(wr_error_kind_t kind) {
    switch (kind) {
    case WR_ERROR_MALFORMED: return "malformed module";
    case WR_ERROR_INVALID: return "invalid module";
    case WR_ERROR_UNLINKABLE: return "link error";
    case WR_ERROR_TRAP: return "trap";
    case WR_ERROR_EXCEPTION: return "uncaught exception";
    case WR_ERROR_EXIT: return "exit";
    case WR_ERROR_MEMORY:
    case WR_ERROR_IO:
    case WR_ERROR_USAGE: break;
    }
    return "error";
}

/* "  1: 0x1c3a hello!parse+0x1f", "  2: host wasi_snapshot_preview1!fd_write" */
static void print_frame(Output *o, size_t number, const wr_frame_t *f) {
    print(o, "%5zu: ", number);
    bool is_host = f->function_index == UINT32_MAX;
    if (is_host)
        print(o, "host ");
    else
        print(o, "0x%06llx ", (unsigned long long)f->module_offset);
    if (f->module_name != NULL) print(o, "%s!", f->module_name);
    if (f->function_name != NULL)
        print(o, "%s", f->function_name);
    else if (is_host)
        print(o, "function");
    else
        print(o, "function[%u]", (unsigned)f->function_index);
    if (!is_host) print(o, "+0x%llx", (unsigned long long)f->function_offset);
    print(o, "\n");
}

size_t wr_error_render(const wr_error_t *error, char *buffer, size_t size) {
    Output o = {buffer, size, 0};
    if (size != 0) buffer[0] = 0;
    if (error->place != NULL) print(&o, "%s: ", error->place);
    print(&o, "%s: %s", kind_label(error->kind), error->message);
    if (error->offset != NO_OFFSET)
        print(&o, " (at offset 0x%llx)", (unsigned long long)error->offset);
    print(&o, "\n");
    if (error->excerpt != NULL) print(&o, "%s", error->excerpt);
    size_t count = wr_error_frame_count(error), total = wr_error_frame_total(error);
    for (size_t i = 0; i < count; i++) {
        wr_frame_t frame;
        if (!wr_error_frame(error, i, &frame)) break;
        if (i == END_FRAMES && total > count) print(&o, "       ... %zu more\n", total - count);
        print_frame(&o, i < END_FRAMES ? i : total - count + i, &frame);
    }
    return o.length;
}
