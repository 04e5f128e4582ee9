// WASI's side of main.kt.

import kotlin.wasm.WasmImport
import kotlin.wasm.unsafe.UnsafeWasmMemoryApi
import kotlin.wasm.unsafe.withScopedMemoryAllocator

@WasmImport("wasi_snapshot_preview1", "fd_read")
private external fun fdRead(descriptor: Int, buffers: Int, count: Int, size: Int): Int

@OptIn(UnsafeWasmMemoryApi::class)
fun readInput(): String {
    val bytes = ArrayList<Byte>()
    withScopedMemoryAllocator { allocator ->
        val buffer = allocator.allocate(4096)
        val vector = allocator.allocate(8)
        val size = allocator.allocate(4)
        vector.storeInt(buffer.address.toInt())
        (vector + 4).storeInt(4096)
        while (fdRead(0, vector.address.toInt(), 1, size.address.toInt()) == 0 && size.loadInt() > 0)
            for (i in 0 until size.loadInt()) bytes.add((buffer + i).loadByte())
    }
    return bytes.toByteArray().decodeToString()
}

fun main() = work()
