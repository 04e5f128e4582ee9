/*
 * linker_image.c - the initial contents of memory 0, laid out in the artifact: instances map it and look at no data
 * segment. For modules where that is the same for sure, and worth it.
 *
 * The same: the memory is the module's own and nobody else's, and every data segment is written to it, at an address that is a
 * constant, and lies within its least size. So none traps, and all are dropped when they have been written. And nobody
 * can call into the instance before, through somebody else's table, if an element segment traps.
 */
#include "decode_code.h"
#include "linker_state.h"

#define WORTH_IT (32u << 10) /* bytes of data: less is copied faster than mapped */

/* Whether it can be mapped, which only guarded memories are. */
static bool has_fit_memory(const Ld *l) {
    const Module *m = l->module;
    if (m->nmemories == 0 || m->nimported_memories > 0 || m->memories[0].limits.is_shared)
        return false;
    return m->nimported_tables == 0 && (l->plan->guarded_memories & 1);
}

/* Of a segment of memory 0 whose offset is nothing but a constant. */
static bool find_address(const Module *m, const DataSeg *segment, u64 *address) {
    if (segment->mode != SEG_ACTIVE || segment->memory != 0) return false;
    ConstExpr offset = data_offset(segment);
    Reader r = {.pos = m->bytes + offset.offset, .base = m->bytes};
    r.end = r.pos + offset.size;
    Instr constant, end;
    if (!wr_instr_next(&r, &constant) || constant.op != OP_I32_CONST) return false;
    *address = (u32)constant.bits;
    return wr_instr_next(&r, &end) && end.op == OP_END;
}

/* Adds the segment to the span [start, end); false if its place is not known, or not within the memory. */
static bool include(const Ld *l, const DataSeg *segment, u64 *start, u64 *end) {
    u64 address, size = l->module->memories[0].limits.min << 16;
    if (!find_address(l->module, segment, &address) || address + segment->size > size) return false;
    if (segment->size == 0) return true;
    if (address < *start) *start = address;
    if (address + segment->size > *end) *end = address + segment->size;
    return true;
}

void wr_ld_plan_image(Ld *l) {
    const Module *m = l->module;
    u64 start = UINT64_MAX, end = 0, content = 0, page = l->page;
    if (l->plan->is_slice || !has_fit_memory(l)) return;
    for (u32 i = 0; i < m->ndatas; i++) {
        if (!include(l, &m->datas[i], &start, &end)) return;
        content += m->datas[i].size;
    }
    if (content < WORTH_IT || (end - start) / 2 > content) return; /* small, or mostly gaps */
    l->image_start = start & ~(page - 1);
    l->image_size = ((end + page - 1) & ~(page - 1)) - l->image_start;
}

/* In order: later ones may overwrite what earlier ones wrote. */
void wr_ld_write_image(const Ld *l, u8 *out) {
    const Module *m = l->module;
    for (u32 i = 0; i < m->ndatas; i++) {
        u64 address;
        if (m->datas[i].size > 0 && find_address(m, &m->datas[i], &address))
            memcpy(out + (address - l->image_start), m->bytes + data_contents(&m->datas[i]),
                   m->datas[i].size);
    }
}
