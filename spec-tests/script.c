/*
 * script.c - see script.h.
 */
#include "script.h"

static const struct {
    u16 word;
    CommandKind kind;
    const char *text;
} commands[] = {
    {WORD_REGISTER, COMMAND_REGISTER, "register"},
    {WORD_INVOKE, COMMAND_ACTION, "invoke"},
    {WORD_GET, COMMAND_ACTION, "get"},
    {WORD_THREAD, COMMAND_THREAD, "thread"},
    {WORD_WAIT, COMMAND_WAIT, "wait"},
    {WORD_ASSERT_RETURN, ASSERT_RETURN, "assert_return"},
    {WORD_ASSERT_TRAP, ASSERT_TRAP, "assert_trap"},
    {WORD_ASSERT_EXHAUSTION, ASSERT_EXHAUSTION, "assert_exhaustion"},
    {WORD_ASSERT_EXCEPTION, ASSERT_EXCEPTION, "assert_exception"},
    {WORD_ASSERT_SUSPENSION, ASSERT_SUSPENSION, "assert_suspension"},
    {WORD_ASSERT_INVALID, ASSERT_INVALID, "assert_invalid"},
    {WORD_ASSERT_MALFORMED, ASSERT_MALFORMED, "assert_malformed"},
    {WORD_ASSERT_INVALID_CUSTOM, ASSERT_INVALID_CUSTOM, "assert_invalid_custom"},
    {WORD_ASSERT_MALFORMED_CUSTOM, ASSERT_MALFORMED_CUSTOM, "assert_malformed_custom"},
    {WORD_ASSERT_UNLINKABLE, ASSERT_UNLINKABLE, "assert_unlinkable"},
};

/* ---- parts ---- */

static Name optional_id(TextReader *t, Arena *arena) {
    Name id = {NULL, 0};
    if (!wr_text_is(t, TOKEN_ID)) return id;
    id = wr_text_id(t, &t->token, arena);
    wr_text_next(t);
    return id;
}

static Name read_id(TextReader *t, Arena *arena) {
    if (!wr_text_is(t, TOKEN_ID)) wr_text_unexpected(t);
    return optional_id(t, arena);
}

static Name read_string(TextReader *t, Arena *arena, bool is_name) {
    Name string = {NULL, 0};
    if (!wr_text_is(t, TOKEN_STRING)) {
        wr_text_unexpected(t);
        return string;
    }
    string = (is_name ? wr_text_name : wr_text_string)(t, &t->token, arena);
    wr_text_next(t);
    return string;
}

/* At "(" of a module. What is wrong with its text alone does not end the script: the assertion that
 * it stands in may be about that. */
static void read_module(TextReader *t, const TextOptions *options, Arena *arena, Command *c) {
    if (wr_text_head(t) != WORD_MODULE) {
        wr_text_unexpected(t);
        return;
    }
    TextReader start = *t;
    c->has_module = true;
    wr_text_module(t, options, arena, &c->module);
    if (t->error == NULL || wr_error_kind(t->error) == WR_ERROR_MEMORY) return;
    c->module_error = t->error;
    c->module.open = start.token;
    *t = start;
    wr_text_next(t);
    wr_text_skip(t);
}

/* At "invoke" or "get", to before its ")". */
static void read_action_parts(TextReader *t, Arena *arena, Action *action) {
    action->is_get = wr_text_take_word(t, WORD_GET);
    if (!action->is_get) wr_text_expect_word(t, WORD_INVOKE);
    action->instance = optional_id(t, arena);
    action->name = read_string(t, arena, true);
    if (!action->is_get) action->args = wr_values_read(t, arena, false, &action->nargs);
}

static void read_action(TextReader *t, Arena *arena, Command *c) {
    wr_text_expect(t, TOKEN_OPEN);
    c->has_action = true;
    read_action_parts(t, arena, &c->action);
    wr_text_expect(t, TOKEN_CLOSE);
}

/* thread $t (shared (module $instance))* command*: the commands are left for the thread to read. */
static void read_thread(TextReader *t, Arena *arena, Command *c) {
    c->name = read_id(t, arena);
    TextReader first = *t;
    for (int pass = 0; pass < 2; pass++) { /* count, then keep */
        *t = first;
        u32 n = 0;
        for (; wr_text_take_open(t, WORD_SHARED); n++) {
            wr_text_expect(t, TOKEN_OPEN);
            wr_text_expect_word(t, WORD_MODULE);
            Name id = read_id(t, arena);
            if (c->shared != NULL) c->shared[n] = id;
            wr_text_expect(t, TOKEN_CLOSE);
            wr_text_expect(t, TOKEN_CLOSE);
        }
        if (t->error != NULL) return;
        c->nshared = n;
        if (pass == 0 && (c->shared = wr_arena_new(arena, n, sizeof *c->shared)) == NULL)
            wr_text_fail_memory(t);
    }
    c->body = *t;
    u32 depth = 0;
    for (; t->error == NULL && (depth > 0 || !wr_text_is(t, TOKEN_CLOSE)); wr_text_next(t)) {
        if (wr_text_is(t, TOKEN_OPEN)) depth++;
        if (wr_text_is(t, TOKEN_CLOSE)) depth--;
        if (wr_text_is(t, TOKEN_END)) wr_text_unexpected(t);
    }
}

/* ---- commands ---- */

/* What follows the command's word, to before its ")". */
static void read_parts(TextReader *t, const TextOptions *options, Arena *arena, Command *c) {
    switch (c->kind) {
    case COMMAND_REGISTER:
        c->name = read_string(t, arena, true);
        c->instance = optional_id(t, arena);
        break;
    case COMMAND_THREAD: read_thread(t, arena, c); break;
    case COMMAND_WAIT: c->name = read_id(t, arena); break;
    case ASSERT_RETURN:
        read_action(t, arena, c);
        c->results = wr_values_read(t, arena, true, &c->nresults);
        break;
    case ASSERT_EXCEPTION: read_action(t, arena, c); break;
    case ASSERT_EXHAUSTION:
    case ASSERT_SUSPENSION:
        read_action(t, arena, c);
        c->message = read_string(t, arena, false);
        break;
    case ASSERT_TRAP:
        if (wr_text_head(t) == WORD_MODULE)
            read_module(t, options, arena, c);
        else
            read_action(t, arena, c);
        c->message = read_string(t, arena, false);
        break;
    case ASSERT_INVALID:
    case ASSERT_MALFORMED:
    case ASSERT_INVALID_CUSTOM:
    case ASSERT_MALFORMED_CUSTOM:
    case ASSERT_UNLINKABLE:
        read_module(t, options, arena, c);
        c->message = read_string(t, arena, false);
        break;
    case COMMAND_END:
    case COMMAND_MODULE:
    case COMMAND_ACTION:
    case COMMAND_KINDS: break;
    }
}

/* At "(". */
static void read_command(TextReader *t, const TextOptions *options, Arena *arena, Command *c) {
    u32 word = wr_text_head(t);
    if (word == WORD_MODULE) {
        c->kind = COMMAND_MODULE;
        c->word = "module";
        read_module(t, options, arena, c);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (commands[i].word != word) continue;
        c->kind = commands[i].kind;
        c->word = commands[i].text;
    }
    wr_text_next(t);
    if (c->kind == COMMAND_ACTION) {
        c->has_action = true;
        read_action_parts(t, arena, &c->action);
    } else if (c->kind != COMMAND_END) {
        wr_text_next(t);
        read_parts(t, options, arena, c);
    } else {
        wr_text_unexpected(t);
    }
    wr_text_expect(t, TOKEN_CLOSE);
}

void wr_script_drop_module(const TextOptions *options, Command *c) {
    wr_free(options->alloc, c->module.bytes, c->module.size);
    wr_error_delete(c->module.invalid);
    wr_error_delete(c->module_error);
    c->module = (TextModule){0};
    c->module_error = NULL;
}

void wr_script_next(TextReader *t, const TextOptions *options, Arena *arena, Command *out) {
    *out = (Command){.kind = COMMAND_END, .line = t->token.line, .column = t->token.column};
    if (wr_text_is(t, TOKEN_CLOSE) || wr_text_is(t, TOKEN_END)) return;
    if (wr_text_is(t, TOKEN_OPEN))
        read_command(t, options, arena, out);
    else
        wr_text_unexpected(t);
    if (t->error == NULL) return;
    wr_script_drop_module(options, out);
    *out = (Command){.kind = COMMAND_END, .line = out->line, .column = out->column};
}

bool wr_script_is_module(TextReader *t) {
    static const u16 fields[] = {WORD_TYPE, WORD_REC,   WORD_IMPORT, WORD_EXPORT,
                                 WORD_FUNC, WORD_TABLE, WORD_MEMORY, WORD_GLOBAL,
                                 WORD_TAG,  WORD_START, WORD_ELEM,   WORD_DATA};
    u32 word = wr_text_head(t);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i] == word) return true;
    return false;
}
