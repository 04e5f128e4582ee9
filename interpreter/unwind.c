/*
 * unwind.c - where a thrown exception lands: a search through the frames of the activation, from the
 * innermost out, and through the try regions of each one's code (module.h: TryRegion). Nothing is
 * kept while code runs that does not throw. Called by the cold paths of handlers_exception.h.
 */
#include "frame.h"
#include "object.h"

static u32 read_u32(const u8 **p) {
    u32 value = 0, byte;
    unsigned shift = 0;
    do {
        byte = *(*p)++;
        value |= shift < 32 ? (byte & 0x7F) << shift : 0;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

static void skip_leb(const u8 **p) {
    while (*(*p)++ & 0x80) {
    }
}

/* What is thrown, and the frame that is looked at. */
typedef struct Search {
    const Store *store;
    const Tag *tag;
    u32 exception;
    Frame *fr;
    const Code *code;
    const Instance *instance;
} Search;

static Slot *push_payload(const Search *s, Slot *sp) {
    wr_exception_payload(s->store, s->exception, sp, UINT32_MAX);
    return sp + s->tag->type->param_slots;
}

static Slot *operands_of(const Search *s, const TryRegion *region) {
    return s->fr->fp + s->code->local_slots + region->height;
}

static bool try_table(const Search *s, const TryRegion *region, Landing *out) {
    const u8 *p = s->code->start + region->clauses;
    u32 count = read_u32(&p);
    for (u32 i = 0; i < count; i++) {
        u8 kind = *p++;
        bool matches = kind & 2 || s->instance->tags[read_u32(&p)] == s->tag;
        skip_leb(&p);
        if (!matches) continue;
        Slot *sp = operands_of(s, region);
        if (!(kind & 2)) sp = push_payload(s, sp);
        if (kind & 1) (sp++)->u64 = s->exception;
        const SideEntry *entry = s->code->side + region->stp + i;
        Jump jump = wr_interp_jump(s->fr->func, s->code->start + region->at, entry, sp);
        *out = (Landing){s->fr, jump.pc, jump.stp, jump.sp};
        return true;
    }
    return false;
}

static bool try_legacy(const Search *s, const TryRegion *region, Landing *out) {
    const LegacyCatch *clause = s->code->catches + region->first_catch;
    for (u32 i = 0; i < region->ncatches; i++, clause++) {
        bool is_all = clause->tag == NONE_U32;
        if (!is_all && s->instance->tags[clause->tag] != s->tag) continue;
        Slot *sp = operands_of(s, region);
        s->fr->fp[region->exn_slot].u64 = s->exception;
        if (!is_all) sp = push_payload(s, sp);
        *out = (Landing){s->fr, s->code->start + clause->pc, s->code->side + clause->stp, sp};
        return true;
    }
    return false;
}

/* The first region, which may hold `at`, in the order of their ends. */
static u32 first_region(const Code *code, u32 at) {
    u32 low = 0, high = code->ntries;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (code->tries[middle].end > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Regions that hold code offset `at`, from the innermost out; one that delegates names the next. */
static bool search_frame(const Search *s, u32 at, Landing *out) {
    const Code *code = s->code;
    for (u32 i = first_region(code, at); i < code->ntries; i++) {
        const TryRegion *region = &code->tries[i];
        if (region->start > at) continue;
        while (region->delegate != NONE_U32) {
            if (region->delegate == DELEGATE_CALLER) return false;
            i = region->delegate;
            region = &code->tries[i];
        }
        if (region->is_legacy ? try_legacy(s, region, out) : try_table(s, region, out)) return true;
    }
    return false;
}

Landing wr_interp_unwind(Store *store, Frame *fr, const u8 *pc, u32 exception) {
    Search s = {.store = store, .tag = exception_tag(store, exception), .exception = exception};
    Landing landing = {.fr = NULL};
    for (; fr->func->code != NULL; fr++) {
        s.fr = fr;
        s.code = fr->func->code;
        s.instance = fr->func->home->instance;
        if (s.code->ntries > 0 && pc != NULL &&
            search_frame(&s, (u32)(pc - s.code->start), &landing))
            break;
        pc = fr[1].pc - 1; /* return addresses stand behind the call */
    }
    return landing;
}
