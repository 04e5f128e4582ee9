/* Both public headers, whichever comes first. */
#include <wasmrun.h>

#include <wasm.h>

int main(void) { return 0; }
