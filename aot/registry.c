/*
 * registry.c - wr_artifact_at(): which artifact of this process has the code at an address.
 *
 * Signal handlers ask, at any moment: so a reader takes no lock. It announces itself, reads the list that is
 * current, which never changes but for entries that are struck out, and leaves. A writer puts
 * a new list in its place; old ones are freed as soon as no reader is there.
 */
#include "artifact_image.h"

typedef struct Entry {
    uintptr_t start, end;
    _Atomic(const Artifact *) artifact; /* NULL: struck out */
} Entry;

typedef struct List {
    struct List *next; /* of the retired ones */
    u32 count;
    Entry entries[]; /* by start; they do not overlap, but for those that are struck out */
} List;

static _Atomic(List *) current;
static atomic_uint readers;
static atomic_uint generation;
static atomic_flag lock = ATOMIC_FLAG_INIT; /* of the writers; held for the time of an allocation */
static List *retired;

static const Artifact *find(const List *list, uintptr_t pc) {
    u32 low = 0, high = list->count;
    while (low < high) { /* entries before low end before pc */
        u32 middle = low + (high - low) / 2;
        if (list->entries[middle].end <= pc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == list->count || list->entries[low].start > pc) return NULL;
    return atomic_load(&list->entries[low].artifact);
}

const Artifact *wr_artifact_at(const void *pc) {
    atomic_fetch_add(&readers, 1);
    const List *list = atomic_load(&current);
    const Artifact *artifact = list ? find(list, (uintptr_t)pc) : NULL;
    atomic_fetch_sub(&readers, 1);
    return artifact;
}

u32 wr_artifact_generation(void) { return atomic_load(&generation); }

static void writer_lock(void) {
    while (atomic_flag_test_and_set(&lock)) {
    }
}
static void writer_unlock(void) { atomic_flag_clear(&lock); }

static size_t size_of(u32 count) { return sizeof(List) + count * sizeof(Entry); }

/* Under the writers' lock. Readers that come later see what is current now. */
static void free_retired(void) {
    if (atomic_load(&readers) != 0) return;
    while (retired) {
        List *next = retired->next;
        wr_free(&wr_alloc_system, retired, size_of(retired->count));
        retired = next;
    }
}

static void publish(List *list) {
    List *old = atomic_exchange(&current, list);
    if (old) {
        old->next = retired;
        retired = old;
    }
    free_retired();
}

static void set_entry(Entry *entry, uintptr_t start, uintptr_t end, const Artifact *artifact) {
    entry->start = start;
    entry->end = end;
    atomic_init(&entry->artifact, artifact);
}

/* The live entries of `from` and the artifact. */
static void fill(List *list, const List *from, const Artifact *artifact) {
    const PartView *code = &artifact->parts[PART_CODE];
    uintptr_t start = (uintptr_t)code->data, end = start + code->size;
    bool is_in = false;
    for (u32 i = 0; from && i < from->count; i++) {
        const Entry *entry = &from->entries[i];
        const Artifact *other = atomic_load(&entry->artifact);
        if (!other) continue;
        if (!is_in && start < entry->start) {
            set_entry(&list->entries[list->count++], start, end, artifact);
            is_in = true;
        }
        set_entry(&list->entries[list->count++], entry->start, entry->end, other);
    }
    if (!is_in) set_entry(&list->entries[list->count++], start, end, artifact);
}

bool wr_artifact_register(const Artifact *artifact) {
    writer_lock();
    const List *from = atomic_load(&current);
    u32 capacity = (from ? from->count : 0) + 1;
    List *list = wr_alloc(&wr_alloc_system, size_of(capacity));
    if (list) {
        list->count = 0;
        fill(list, from, artifact);
        u32 unused = capacity - list->count;
        for (u32 i = 0; i < unused; i++) /* the size tells what is freed */
            set_entry(&list->entries[list->count++], UINTPTR_MAX, UINTPTR_MAX, NULL);
        publish(list);
    }
    writer_unlock();
    return list != NULL;
}

void wr_artifact_unregister(const Artifact *artifact) {
    writer_lock();
    List *list = atomic_load(&current);
    u32 live = 0;
    for (u32 i = 0; list && i < list->count; i++) {
        if (atomic_load(&list->entries[i].artifact) == artifact)
            atomic_store(&list->entries[i].artifact, NULL);
        live += atomic_load(&list->entries[i].artifact) != NULL;
    }
    if (live == 0) publish(NULL);
    atomic_fetch_add(&generation, 1);
    free_retired();
    writer_unlock();
}
