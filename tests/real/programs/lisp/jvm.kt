// The JVM's side of main.kt.

fun readInput(): String = System.`in`.readBytes().decodeToString()

fun main() {
    val thread = Thread(null, ::work, "work", 256L shl 20)
    thread.start()
    thread.join()
}
