/*
 * linker.c - see linker.h: the steps from objects to a file, its layout, and writing it.
 *
 * Constants and code of all objects are laid out behind the header in the order in which they come; then
 * all symbols have a place, and the tables can be made from unwind and debug information; then the file
 * has a size, and is written in one go.
 */
#include "linker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "linker_state.h"
#include "native.h"
#include "store.h"

#define PAGE_X86_64 4096u
#define PAGE_AARCH64 65536u /* hosts have pages of 4, 16 or 64 KiB */
#define CODE_ALIGN 16u
#define RULE_ROW 92u

/* ---- failing, growing ---- */

bool wr_ld_fail(Ld *l, const Object *object, const char *format, ...) {
    char text[300];
    if (l->error) return false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    l->error = wr_error_at(WR_ERROR_MALFORMED, NO_OFFSET, "object %u: %s",
                           object ? object->number : 0, text);
    return false;
}

bool wr_ld_no_memory(Ld *l) {
    if (!l->error) l->error = ERROR_OOM;
    return false;
}

bool wr_ld_row(Ld *l, Rows *table, u32 a, u32 b, u32 c, u32 d) {
    if (!wr_grow_array(l->alloc, &table->rows, &table->capacity, (u64)table->count + 1,
                       ARTIFACT_MAX / sizeof(Row), sizeof(Row)))
        return wr_ld_no_memory(l);
    table->rows[table->count++] = (Row){{a, b, c, d}};
    return true;
}

bool wr_ld_byte(Ld *l, Bytes *bytes, u8 byte) {
    if (!wr_grow_array(l->alloc, &bytes->data, &bytes->capacity, (u64)bytes->size + 1, ARTIFACT_MAX,
                       1))
        return wr_ld_no_memory(l);
    bytes->data[bytes->size++] = byte;
    return true;
}

/* ---- the plan ---- */

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static bool choose_machine(Ld *l) {
    if (begins(l->plan->triple, "x86_64")) {
        l->machine = MACHINE_X86_64;
        l->page = PAGE_X86_64;
    } else if (begins(l->plan->triple, "aarch64") || begins(l->plan->triple, "arm64")) {
        l->machine = MACHINE_AARCH64;
        l->page = PAGE_AARCH64;
    } else {
        l->error =
            wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "cannot link for %.100s", l->plan->triple);
        return false;
    }
    return true;
}

static bool make_spots(Ld *l) {
    bool ok = true;
    for (u32 i = 0; i < BODIES; i++) {
        l->functions[i] = wr_arena_new(&l->arena, l->module->ncodes, sizeof(Spot));
        ok = ok && l->functions[i];
    }
    for (u32 i = 0; i < THUNKS; i++) {
        l->thunks[i] = wr_arena_new(&l->arena, l->plan->nshapes, sizeof(Spot));
        ok = ok && l->thunks[i];
    }
    return ok || wr_ld_no_memory(l);
}

static bool read_objects(Ld *l, const ObjectFile *files, u32 count) {
    l->objects = wr_arena_new(&l->arena, count, sizeof *l->objects);
    if (!l->objects) return wr_ld_no_memory(l);
    l->nobjects = count;
    for (u32 i = 0; i < count; i++) {
        l->objects[i].number = i;
        if (!wr_ld_read(l, &l->objects[i], &files[i])) return false;
        if (!wr_ld_find_libcalls(l, &l->objects[i])) return false;
    }
    return true;
}

/* ---- layout ---- */

static u64 round_up(u64 n, u32 align) { return (n + align - 1) & ~(u64)(align - 1); }

static u32 texts_size(const Ld *l) {
    const LinkPlan *p = l->plan;
    return (u32)(strlen(p->triple) + strlen(p->cpu) + strlen(p->features) + 3);
}

static u32 libcalls_size(const Ld *l) {
    size_t size = 0;
    for (u32 i = 0; i < l->nlibcalls; i++) size += strlen(l->libcalls[i].name) + 1;
    return (u32)size;
}

/* Gives all sections of one sort their places, from `at` on. */
static bool place_sections(Ld *l, bool (*belongs)(const Section *), u64 *at) {
    for (u32 i = 0; i < l->nobjects; i++) {
        const Object *o = &l->objects[i];
        for (u32 k = 1; k < o->nsections; k++) {
            Section *s = &o->sections[k];
            if (s->size == 0 || !belongs(s)) continue;
            if (s->type == SHT_NOBITS) return wr_ld_fail(l, o, "section %s is empty", s->name);
            *at = round_up(*at, s->align);
            if (s->size > ARTIFACT_MAX || *at + s->size > ARTIFACT_MAX)
                return wr_ld_fail(l, o, "more than 2 GiB of code");
            s->place = (u32)*at;
            *at += s->size;
        }
    }
    return true;
}

static bool is_refused(const Section *s) {
    return (s->flags & SHF_ALLOC) != 0 && (s->flags & SHF_WRITE) != 0 && s->size != 0 &&
           !begins(s->name, ".data.DW.ref.");
}

static bool refuse_data(Ld *l) {
    for (u32 i = 0; i < l->nobjects; i++)
        for (u32 k = 1; k < l->objects[i].nsections; k++)
            if (is_refused(&l->objects[i].sections[k]))
                return wr_ld_fail(l, &l->objects[i], "data that can be written: section %s",
                                  l->objects[i].sections[k].name);
    return true;
}

static bool lay_out(Ld *l) {
    u64 at = (u64)HEAD_SIZE + texts_size(l) + libcalls_size(l);
    at = round_up(at, CODE_ALIGN);
    l->rodata = (u32)at;
    if (!refuse_data(l) || !place_sections(l, wr_ld_is_rodata, &at)) return false;
    l->rodata_end = (u32)at;
    at = round_up(at, l->page);
    l->addresses = (u32)at;
    if (l->nlibcalls > 0) at += l->page;
    l->code = (u32)at;
    if (!place_sections(l, wr_ld_is_code, &at)) return false;
    at = round_up(at, CODE_ALIGN);
    for (u32 i = 0; i < l->nlibcalls; i++, at += wr_ld_stub_size(l)) l->libcalls[i].stub = (u32)at;
    if (at == l->code) at++; /* a module without functions */
    if (at > ARTIFACT_MAX) return wr_ld_fail(l, NULL, "more than 2 GiB of code");
    l->code_end = (u32)at;
    for (u32 i = 0; i < l->nobjects; i++)
        if (!wr_ld_define(l, &l->objects[i])) return false;
    return true;
}

/* ---- tables ---- */

static bool is_left_out(const Ld *l, u32 i) {
    return l->plan->left_out && l->plan->left_out[i + l->module->nimported_funcs];
}

FunctionBody wr_ld_guest_body(const Ld *l, u32 i) {
    if (l->functions[BODY_TAIL][i].place != 0) return BODY_TAIL;
    return l->functions[BODY_COUNTED][i].place != 0 ? BODY_COUNTED : BODY_PLAIN;
}

static bool add_symbol(Ld *l, Spot spot, SymbolKind kind, u32 index) {
    if (spot.place == 0) return true;
    return wr_ld_row(l, &l->symbols, spot.place - l->code, spot.size,
                     (u32)kind << SYMBOL_SHIFT | index, 0);
}

static bool add_loop_symbols(Ld *l) {
    for (u32 i = 0; i < l->loops.count; i++) {
        u32 *columns = l->loops.rows[i].columns, index = wr_module_func_at(l->module, columns[0]);
        if (index == NONE_U32) return wr_ld_fail(l, NULL, "loop %u is in no function", columns[0]);
        columns[1] -= l->code; /* it was a place */
        if (!wr_ld_row(l, &l->symbols, columns[1], columns[2],
                       (u32)SYMBOL_FUNCTION << SYMBOL_SHIFT | index, 0))
            return false;
    }
    return true;
}

static bool make_symbols(Ld *l) {
    for (u32 i = 0; i < l->module->ncodes; i++) {
        u32 index = i + l->module->nimported_funcs;
        for (u32 body = 0; body < BODIES; body++) {
            bool wraps = is_left_out(l, i) || body != wr_ld_guest_body(l, i);
            if (!add_symbol(l, l->functions[body][i], wraps ? SYMBOL_WRAPPER : SYMBOL_FUNCTION,
                            index))
                return false;
        }
    }
    for (u32 kind = 0; kind < THUNKS; kind++)
        for (u32 i = 0; i < l->plan->nshapes; i++)
            if (!add_symbol(l, l->thunks[kind][i], (SymbolKind)(SYMBOL_ENTRY + kind), i))
                return false;
    if (!add_loop_symbols(l)) return false;
    for (u32 i = 0; i < l->nlibcalls; i++) {
        Spot spot = {l->libcalls[i].stub, wr_ld_stub_size(l)};
        if (!add_symbol(l, spot, SYMBOL_LIBCALL, i)) return false;
    }
    return true;
}

/* Rows of the same code: in the order of the third column, and those that end something first. */
static int compare(const void *a, const void *b) {
    const u32 *x = ((const Row *)a)->columns, *y = ((const Row *)b)->columns;
    if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
    if (x[2] != y[2]) return x[2] < y[2] ? -1 : 1;
    return x[1] > y[1] ? -1 : x[1] < y[1];
}

void wr_ld_sort(Rows *rows) {
    if (rows->count > 1) qsort(rows->rows, rows->count, sizeof(Row), compare);
}

void wr_ld_unique(Rows *rows) {
    u32 count = 0;
    for (u32 i = 0; i < rows->count; i++) {
        if (count > 0 && rows->rows[count - 1].columns[0] == rows->rows[i].columns[0]) count--;
        rows->rows[count++] = rows->rows[i];
    }
    rows->count = count;
}

static void merge(Rows *rows) {
    u32 count = 0;
    wr_ld_unique(rows);
    for (u32 i = 0; i < rows->count; i++)
        if (count == 0 || rows->rows[count - 1].columns[1] != rows->rows[i].columns[1])
            rows->rows[count++] = rows->rows[i];
    rows->count = count;
}

const Row *wr_ld_symbol_at(const Ld *l, u32 code) {
    u32 low = 0, high = l->symbols.count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (l->symbols.rows[middle].columns[0] <= code)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return NULL;
    const Row *row = &l->symbols.rows[low - 1];
    return code - row->columns[0] < row->columns[1] ? row : NULL;
}

/* ---- output ---- */

typedef struct Layout {
    u32 place[PARTS], size[PARTS];
    u64 end;
} Layout;

static void part_is(Layout *layout, Part part, u64 place, u64 size) {
    layout->place[part] = (u32)place;
    layout->size[part] = (u32)size;
    layout->end = place + size;
}

static void part_follows(Layout *layout, Part part, u64 rows, u32 row_size) {
    part_is(layout, part, round_up(layout->end, 4), rows * row_size);
}

static bool choose_places(Ld *l, Layout *y) {
    part_is(y, PART_TEXTS, HEAD_SIZE, texts_size(l));
    part_is(y, PART_LIBCALLS, y->end, libcalls_size(l));
    part_is(y, PART_RODATA, l->rodata, l->rodata_end - l->rodata);
    part_is(y, PART_ADDRESSES, l->addresses, l->code - l->addresses);
    part_is(y, PART_CODE, l->code, l->code_end - l->code);
    y->end = round_up(y->end, l->page);
    part_follows(y, PART_FUNCTIONS, l->module->ncodes, 12);
    part_follows(y, PART_LOOPS, l->loops.count, 8);
    part_follows(y, PART_SYMBOLS, l->symbols.count, 12);
    part_follows(y, PART_UNWIND, l->unwind.count, 8);
    part_follows(y, PART_RULES, l->nrules, RULE_ROW);
    part_follows(y, PART_PADS, l->pads.count, 16);
    part_follows(y, PART_BLOCKS, l->blocks.count, 12);
    part_follows(y, PART_LINES, l->lines.size, 1);
    part_follows(y, PART_SCOPES, l->scopes.count, 8);
    part_follows(y, PART_CHAINS, l->chains.count, 12);
    y->end = round_up(y->end, l->image_size > 0 ? l->page : 16);
    part_is(y, PART_IMAGE, y->end, l->image_size);
    part_is(y, PART_MODULE, y->end, l->module->size);
    return y->end <= ARTIFACT_MAX || wr_ld_fail(l, NULL, "more than 2 GiB in all");
}

static void write_rows(Ld *l, const Layout *y, Part part, const Rows *table, u32 columns) {
    u8 *at = l->out + y->place[part];
    for (u32 i = 0; i < table->count; i++)
        for (u32 k = 0; k < columns; k++, at += 4) le32_store(at, table->rows[i].columns[k]);
}

static u32 code_of(const Ld *l, Spot spot) {
    return spot.place == 0 ? NONE_U32 : spot.place - l->code;
}

static void write_functions(Ld *l, const Layout *y) {
    for (u32 i = 0; i < l->module->ncodes; i++) {
        u8 *at = l->out + y->place[PART_FUNCTIONS] + 12 * (size_t)i;
        const FuncDecl *decl = &l->module->funcs[i + l->module->nimported_funcs];
        u32 shape = l->plan->shapes[decl->type_index];
        bool out = is_left_out(l, i);
        le32_store(at, out ? NONE_U32 : code_of(l, l->functions[BODY_PLAIN][i]));
        le32_store(at + 4, out ? NONE_U32 : code_of(l, l->functions[BODY_TAIL][i]));
        le32_store(at + 8,
                   shape < l->plan->nshapes ? code_of(l, l->thunks[THUNK_ENTRY][shape]) : NONE_U32);
    }
}

static void write_text(u8 **at, const char *text) {
    size_t size = strlen(text) + 1;
    memcpy(*at, text, size);
    *at += size;
}

static void write_header(Ld *l, const Layout *y) {
    u8 *head = l->out;
    const NativeOptions *o = &l->plan->options;
    const u8 options[] = {o->guarded, o->polled, o->fuel, o->migratable, o->level};
    memcpy(head + HEAD_MAGIC, ARTIFACT_MAGIC, 8);
    le32_store(head + HEAD_VERSION, ARTIFACT_VERSION);
    le32_store(head + HEAD_MACHINE, l->machine);
    le64_store(head + HEAD_ABI, wr_native_abi());
    le64_store(head + HEAD_FILE_SIZE, l->out_size);
    le64_store(head + HEAD_GUARDED, l->plan->guarded_memories);
    memcpy(head + HEAD_OPTIONS, options, sizeof options);
    le32_store(head + HEAD_PAGE, l->page);
    le32_store(head + HEAD_PARTS, PARTS);
    le64_store(head + HEAD_IMAGE, l->image_start);
    le32_store(head + HEAD_FEATURES, l->module->features);
    for (u32 i = 0; i < PARTS; i++) {
        le32_store(head + HEAD_PART + 8 * i, y->place[i]);
        le32_store(head + HEAD_PART + 8 * i + 4, y->size[i]);
    }
    u8 *at = head + HEAD_SIZE;
    write_text(&at, l->plan->triple);
    write_text(&at, l->plan->cpu);
    write_text(&at, l->plan->features);
    for (u32 i = 0; i < l->nlibcalls; i++) write_text(&at, l->libcalls[i].name);
}

static void copy_sections(Ld *l) {
    for (u32 i = 0; i < l->nobjects; i++)
        for (u32 k = 1; k < l->objects[i].nsections; k++) {
            const Section *s = &l->objects[i].sections[k];
            if (s->place != 0) memcpy(l->out + s->place, s->data, (size_t)s->size);
        }
}

#define RULE_COLUMNS (3 + UNWIND_REGISTERS)

static void write_rules(Ld *l, const Layout *y) {
    u8 *at = l->out + y->place[PART_RULES];
    for (u32 i = 0; i < l->nrules; i++) {
        const UnwindRule *rule = &l->rules[i];
        u32 columns[RULE_COLUMNS] = {rule->cfa_register, (u32)rule->cfa_offset, rule->saved};
        for (u32 k = 0; k < UNWIND_REGISTERS; k++) columns[3 + k] = (u32)rule->saved_at[k];
        for (u32 k = 0; k < RULE_COLUMNS; k++, at += 4) le32_store(at, columns[k]);
    }
}

static void copy_bytes(Ld *l, u32 place, const u8 *bytes, size_t size) {
    if (size > 0) memcpy(l->out + place, bytes, size);
}

static void write_tables(Ld *l, const Layout *y) {
    write_functions(l, y);
    write_rows(l, y, PART_LOOPS, &l->loops, 2);
    write_rows(l, y, PART_SYMBOLS, &l->symbols, 3);
    write_rows(l, y, PART_UNWIND, &l->unwind, 2);
    write_rules(l, y);
    write_rows(l, y, PART_PADS, &l->pads, 4);
    write_rows(l, y, PART_BLOCKS, &l->blocks, 3);
    write_rows(l, y, PART_SCOPES, &l->scopes, 2);
    write_rows(l, y, PART_CHAINS, &l->chains, 3);
    copy_bytes(l, y->place[PART_LINES], l->lines.data, l->lines.size);
    if (l->image_size > 0) wr_ld_write_image(l, l->out + y->place[PART_IMAGE]);
    copy_bytes(l, y->place[PART_MODULE], l->module->bytes, (size_t)l->module->size);
}

static bool write_file(Ld *l) {
    Layout layout;
    wr_ld_plan_image(l);
    if (!choose_places(l, &layout)) return false;
    l->out_size = (size_t)layout.end;
    l->out = wr_alloc_zero(l->alloc, l->out_size);
    if (!l->out) return wr_ld_no_memory(l);
    write_header(l, &layout);
    copy_sections(l);
    for (u32 i = 0; i < l->nobjects; i++)
        if (!wr_ld_relocate(l, &l->objects[i])) return false;
    wr_ld_write_stubs(l);
    write_tables(l, &layout);
    wr_artifact_seal(l->out, l->out_size);
    return true;
}

/* ---- all of it ---- */

static bool make_tables(Ld *l) {
    if (!make_symbols(l)) return false;
    wr_ld_sort(&l->symbols);
    wr_ld_sort(&l->loops);
    for (u32 i = 0; i < l->nobjects; i++) {
        const Object *o = &l->objects[i];
        wr_arena_init(&l->scratch, l->alloc);
        bool ok = wr_ld_frames(l, o) && wr_ld_lines(l, o) && wr_ld_scopes(l, o);
        wr_arena_free(&l->scratch);
        if (!ok) return false;
    }
    wr_ld_sort(&l->unwind);
    merge(&l->unwind);
    wr_ld_sort(&l->pads);
    wr_ld_sort(&l->scopes);
    merge(&l->scopes);
    return true;
}

static bool link_files(Ld *l, const ObjectFile *files, u32 count) {
    return choose_machine(l) && make_spots(l) && read_objects(l, files, count) && lay_out(l) &&
           make_tables(l) && write_file(l);
}

static void free_ld(Ld *l) {
    Rows *tables[] = {&l->loops,  &l->symbols, &l->unwind, &l->pads,
                      &l->blocks, &l->scopes,  &l->chains};
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        wr_free(l->alloc, tables[i]->rows, tables[i]->capacity * sizeof(Row));
    wr_free(l->alloc, l->lines.data, l->lines.capacity);
    wr_free(l->alloc, l->rules, l->cap_rules * sizeof *l->rules);
    wr_free(l->alloc, l->rule_slots, l->nrule_slots * sizeof *l->rule_slots);
    wr_arena_free(&l->arena);
}

Error *wr_aot_link(const LinkPlan *plan, const ObjectFile *objects, u32 count, u8 **bytes,
                   size_t *size) {
    Ld l = {.plan = plan, .module = plan->module, .alloc = &plan->module->engine->alloc};
    wr_arena_init(&l.arena, l.alloc);
    if (link_files(&l, objects, count)) {
        *bytes = l.out;
        *size = l.out_size;
    } else {
        wr_free(l.alloc, l.out, l.out_size);
    }
    free_ld(&l);
    return l.error;
}
