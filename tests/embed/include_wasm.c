/* The standard C API alone, twice. */
#include <wasm.h>

int main(void) { return 0; }
