/* comparator.c - libc's qsort and bsearch with comparison callbacks, a merge sort of a linked list
 * and a generic map over void pointers. */
#include "bench.h"
#include <string.h>

enum { COUNT = 700 };

typedef struct Person {
    char name[12];
    uint16_t age, city;
    struct Person *next;
} Person;

static Person people[COUNT];
static Person *pointers[COUNT];

static int by_name(const void *a, const void *b) {
    const Person *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    if (order == 0) order = x->age - y->age; /* a total order: qsort is not stable everywhere */
    return order ? order : x->city - y->city;
}

static int by_age(const void *a, const void *b) {
    const Person *x = *(Person *const *)a, *y = *(Person *const *)b;
    if (x->age != y->age) return x->age - y->age;
    if (x->city != y->city) return x->city - y->city;
    return strcmp(x->name, y->name);
}

typedef int Order(const Person *a, const Person *b);

static int by_city(const Person *a, const Person *b) { return a->city - b->city; }
static int by_city_down(const Person *a, const Person *b) { return b->city - a->city; }

static Person *merge(Person *a, Person *b, Order *order) {
    Person *head = NULL, **link = &head;
    while (a && b) {
        Person **least = order(b, a) < 0 ? &b : &a;
        *link = *least;
        link = &(*least)->next;
        *least = *link ? (*link)->next : NULL;
    }
    *link = a ? a : b;
    return head;
}

static BENCH_NOINLINE Person *list_sort(Person *list, Order *order) {
    Person *bins[16] = {0};
    while (list) {
        Person *one = list;
        list = list->next;
        one->next = NULL;
        int i = 0;
        for (; bins[i]; bins[i++] = NULL) one = merge(bins[i], one, order);
        bins[i] = one;
    }
    Person *all = NULL;
    for (int i = 0; i < 16; i++) all = merge(bins[i], all, order);
    return all;
}

typedef uint64_t Visit(const void *element, uint64_t state);

static BENCH_NOINLINE uint64_t fold(const void *base, size_t count, size_t size, Visit *visit,
                                    uint64_t state) {
    for (size_t i = 0; i < count; i++) state = visit((const char *)base + i * size, state);
    return state;
}

static uint64_t visit_person(const void *element, uint64_t state) {
    const Person *p = element;
    return state * 31 + p->age + p->name[0];
}

static uint64_t visit_pointer(const void *element, uint64_t state) {
    return visit_person(*(Person *const *)element, state);
}

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 250), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = (uint32_t)sum | 1;
        for (int j = 0; j < COUNT; j++) {
            Person *p = &people[j];
            memset(p, 0, sizeof *p);
            for (uint32_t k = 0, length = 4 + (seed & 7); k < length; k++)
                p->name[k] = (char)('a' + (bench_random(&seed) >> 8) % 20);
            p->age = (uint16_t)(bench_random(&seed) >> 25);
            p->city = (uint16_t)(seed & 63);
        }
        qsort(people, COUNT, sizeof *people, by_name);
        for (int j = 0; j < COUNT; j++) {
            pointers[j] = &people[j];
            people[j].next = j + 1 < COUNT ? &people[j + 1] : NULL;
        }
        for (int j = 0; j < 100; j++) {
            const Person *found = bsearch(&people[j * 7], people, COUNT, sizeof *people, by_name);
            if (!found || strcmp(found->name, people[j * 7].name) != 0) return 1;
        }
        Person *list = list_sort(people, i & 1 ? by_city : by_city_down);
        for (int j = 0; j < 50 && list; j++, list = list->next) sum = bench_mix(sum, list->city);
        qsort(pointers, COUNT, sizeof *pointers, by_age);
        sum = fold(people, COUNT, sizeof *people, visit_person, sum);
        sum = fold(pointers, COUNT, sizeof *pointers, visit_pointer, sum);
    }
    return bench_report("comparator", n, sum);
}
