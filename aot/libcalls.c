/* libcalls.c - see libcalls.h. */
#include "libcalls.h"

#include <math.h>
#include <string.h>

typedef void (*Function)(void);
typedef struct Libcall {
    const char *name;
    Function function;
} Libcall;

static const Libcall libcalls[] = {
#define LIBCALL(name) {#name, (Function)(name)},
#include "libcalls.def"
#undef LIBCALL
};

const void *wr_libcall_address(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(libcalls); i++)
        if (strcmp(libcalls[i].name, name) == 0)
            return (const void *)(uintptr_t)libcalls[i].function;
    return NULL;
}
