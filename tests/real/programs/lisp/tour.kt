// What else the language has that a compiler must get right: generics, sequences, delegates, regular
// expressions, numbers as text, exceptions with causes. See main.kt.

sealed class Tree<out K : Comparable<@UnsafeVariance K>, out V> {
    abstract val size: Int
}

object Leaf : Tree<Nothing, Nothing>() {
    override val size get() = 0
}

data class Node<K : Comparable<K>, V>(
    val left: Tree<K, V>, val key: K, val value: V, val right: Tree<K, V>, val priority: Int,
) : Tree<K, V>() {
    override val size = left.size + 1 + right.size
}

/** A persistent treap. */
fun <K : Comparable<K>, V> Tree<K, V>.plus(key: K, value: V, priority: Int): Tree<K, V> = when (this) {
    is Leaf -> Node(Leaf, key, value, Leaf, priority)
    is Node -> when {
        key < this.key -> {
            val l = left.plus(key, value, priority) as Node<K, V>
            if (l.priority > this.priority) l.copy(right = copy(left = l.right)) else copy(left = l)
        }
        key > this.key -> {
            val r = right.plus(key, value, priority) as Node<K, V>
            if (r.priority > this.priority) r.copy(left = copy(right = r.left)) else copy(right = r)
        }
        else -> copy(value = value)
    }
}

fun <K : Comparable<K>, V> Tree<K, V>.walk(): Sequence<Pair<K, V>> = sequence {
    if (this@walk is Node) {
        yieldAll(left.walk())
        yield(key to value)
        yieldAll(right.walk())
    }
}

fun random(seed: Int) = generateSequence(seed) { it * 1103515245 + 12345 }.map { it ushr 8 }

fun trees(n: Int) {
    val kept = ArrayList<Tree<String, Int>>()
    var tree: Tree<String, Int> = Leaf
    random(7).take(n).forEachIndexed { i, x ->
        tree = tree.plus("key${x % (n * 2)}", i, x * 31)
        if (i % (n / 5) == 0) kept.add(tree)
    }
    println(kept.map { it.size })
    println(tree.walk().filter { it.second % 100 == 7 }.take(5).joinToString { "${it.first}=${it.second}" })
    println(tree.walk().map { it.first }.zipWithNext().all { (a, b) -> a < b })
    println(tree.walk().fold(0L) { sum, (key, value) -> sum * 31 + key.hashCode() + value })
}

class Resource(val name: String, val log: MutableList<String>) : AutoCloseable {
    init {
        log += "open $name"
    }

    override fun close() {
        log += "close $name"
        if (name == "bad") throw IllegalStateException("close of $name")
    }
}

fun nested(depth: Int, log: MutableList<String>): Int {
    try {
        if (depth == 0) "x".toInt()
        return nested(depth - 1, log) + 1
    } catch (e: NumberFormatException) {
        if (depth % 3 != 0) throw e
        throw IllegalArgumentException("at $depth", e)
    } catch (e: IllegalArgumentException) {
        log += "${e::class.simpleName} ${e.message} <- ${e.cause?.let { it::class.simpleName }}"
        if (depth < 7) throw e
        return depth
    } finally {
        log += "leave $depth"
    }
}

fun exceptions() {
    val log = mutableListOf<String>()
    println(nested(9, log))
    val result = runCatching {
        Resource("first", log).use { a ->
            Resource("bad", log).use { b -> check(a.name == b.name) { "names differ" } }
        }
    }
    val e = result.exceptionOrNull()
    log += "${e?.message}, suppressed ${e?.suppressedExceptions?.map { it.message }}"
    log += runCatching { listOf(1, 2, 3)[7] }.fold({ "$it" }, { "no element 7" })
    log += runCatching { (log as Any) as Int }.exceptionOrNull()?.let { "no cast" } ?: "cast"
    log += runCatching { mutableListOf(1, 2, 3).let { for (x in it) it.add(x) } }.exceptionOrNull()
        ?.let { it::class.simpleName } ?: "nothing"
    println(log.joinToString("\n"))
}

fun numbers() {
    val doubles = listOf(0.5, -0.0, 123456.789, 1.0 / 3, Double.NaN, Double.NEGATIVE_INFINITY)
    println(doubles.joinToString())
    println(listOf(Long.MIN_VALUE, Int.MAX_VALUE, -7 / 2, -7 % 3, (-7).mod(3), 1 shl 33, -1 ushr 28))
    println(listOf("255".toInt(16), 255.toString(2), "zz".toIntOrNull(), 3.99.toInt(), Double.NaN.toInt()))
    println(listOf(0xFFFFFFFFu, ULong.MAX_VALUE, 200.toByte(), 'a' + 1, 1e20.toLong(), 7.5f))
    val text = (1..40).fold("1") { digits, n -> times(digits, n) }
    println("40! = $text")
}

fun times(digits: String, n: Int): String {
    var carry = 0
    val out = StringBuilder()
    for (c in digits.reversed()) {
        val value = (c - '0') * n + carry
        out.append('0' + value % 10)
        carry = value / 10
    }
    while (carry > 0) {
        out.append('0' + carry % 10)
        carry /= 10
    }
    return out.reverse().toString()
}

fun text(lines: List<String>) {
    val words = Regex("[\\p{L}']+").findAll(lines.joinToString("\n")).map { it.value.lowercase() }.toList()
    val counts = words.groupingBy { it }.eachCount().entries
    for ((word, n) in counts.sortedWith(compareBy({ -it.value }, { it.key })).take(8))
        println("${n.toString().padStart(4)} $word")
    println(Regex("(\\w+)@(\\w+)\\.org").replace("to ann@home.org and bob@work.org") { m ->
        "${m.groupValues[2]}!${m.groupValues[1]}"
    })
    println("grüße ∀x 🎉".map { it.code.toString(16) })
    println("a,b;c".split(',', ';') + "x".repeat(3) + "%".padEnd(3, '-') + "Trim ".trimEnd().reversed())
}

val lazily by lazy { println("made once"); 42 }

fun tour(lines: List<String>) {
    trees(20000)
    exceptions()
    numbers()
    text(lines)
    println(lazily + lazily)
    val fibonacci = sequence { var a = 0L; var b = 1L; while (true) { yield(a); val c = a + b; a = b; b = c } }
    println(fibonacci.dropWhile { it < 1000 }.filterNot { it % 2 == 0L }.take(10).toList())
    println((1..20).chunked(6).map { it.sum() }.windowed(2).associate { (a, b) -> a to b })
}
