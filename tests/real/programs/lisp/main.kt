// A small Lisp, for tests/real/run.sh: it reads a program from standard input, runs it form by form, and
// prints what each form gives, or its error. "tour" runs tour.kt instead. The output depends on the
// input alone, so that the builds for the JVM and for WASI can be compared byte by byte.

class LispError(message: String, cause: Throwable? = null) : Exception(message, cause)

/** What `escape` throws to get out. */
class Escape(val target: Any, val value: Any?) : RuntimeException()

data class Symbol(val name: String) {
    override fun toString() = name
}

class Cons(val head: Any?, var tail: Any?)

object Nil {
    override fun toString() = "()"
}

class Env(private val outer: Env?, private val values: MutableMap<Symbol, Any?> = HashMap()) {
    private tailrec fun find(name: Symbol): Env? =
        if (name in values) this else if (outer == null) null else outer.find(name)

    operator fun get(name: Symbol): Any? =
        (find(name) ?: throw LispError("unknown: $name")).values[name]

    fun assign(name: Symbol, value: Any?) {
        (find(name) ?: throw LispError("unknown: $name")).values[name] = value
    }

    fun define(name: Symbol, value: Any?) {
        values[name] = value
    }
}

sealed interface Callable
class Builtin(val name: String, val run: (List<Any?>) -> Any?) : Callable
class Lambda(val params: List<Symbol>, val body: List<Any?>, val env: Env) : Callable

// ---- reading ----

class Reader(private val text: String) {
    private var at = 0
    private var line = 1

    private fun fail(what: String): Nothing = throw LispError("line $line: $what")

    private fun skip() {
        while (at < text.length) {
            when {
                text[at] == '\n' -> { line++; at++ }
                text[at].isWhitespace() -> at++
                text[at] == ';' -> while (at < text.length && text[at] != '\n') at++
                else -> return
            }
        }
    }

    fun atEnd(): Boolean {
        skip()
        return at >= text.length
    }

    fun next(): Any? {
        if (atEnd()) fail("something is missing")
        return when (text[at++]) {
            '(' -> list()
            ')' -> fail("unexpected )")
            '\'' -> listOf(Symbol("quote"), next()).toLisp()
            '"' -> string()
            else -> { at--; atom() }
        }
    }

    private fun list(): Any? {
        val items = ArrayList<Any?>()
        while (true) {
            if (atEnd()) fail("unfinished list")
            if (text[at] == ')') break
            items.add(next())
        }
        at++
        return items.toLisp()
    }

    private fun string(): String = buildString {
        while (true) {
            if (at >= text.length) fail("unfinished string")
            val c = text[at++]
            if (c == '"') break
            append(if (c == '\\' && at < text.length) text[at++].let { if (it == 'n') '\n' else it } else c)
        }
    }

    private fun atom(): Any? {
        val start = at
        while (at < text.length && !text[at].isWhitespace() && text[at] !in "()\"';") at++
        val word = text.substring(start, at)
        return when (word) {
            "#t" -> true
            "#f" -> false
            else -> word.toLongOrNull() ?: Symbol(word)
        }
    }
}

fun List<Any?>.toLisp(): Any? = foldRight(Nil as Any?) { item, rest -> Cons(item, rest) }

fun items(list: Any?): List<Any?> {
    val out = ArrayList<Any?>()
    var rest = list
    while (rest is Cons) {
        out.add(rest.head)
        rest = rest.tail
    }
    if (rest !== Nil) throw LispError("not a list: ${show(list)}")
    return out
}

fun show(value: Any?): String = when (value) {
    is Cons -> buildString {
        append('(')
        var rest: Any? = value
        while (rest is Cons) {
            append(show(rest.head))
            rest = rest.tail
            if (rest is Cons) append(' ')
        }
        if (rest !== Nil) append(" . ").append(show(rest))
        append(')')
    }
    is String -> "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\""
    is Boolean -> if (value) "#t" else "#f"
    is Builtin -> "#<${value.name}>"
    is Lambda -> "#<lambda ${value.params.joinToString(" ")}>"
    is Map<*, *> -> value.entries.joinToString(", ", "{", "}") { "${show(it.key)}: ${show(it.value)}" }
    else -> value.toString()
}

// ---- evaluating ----

class Lisp {
    val globals = Env(null)
    var steps = 0L

    fun eval(start: Any?, startEnv: Env): Any? {
        var form = start
        var env = startEnv
        while (true) {
            steps++
            if (form is Symbol) return env[form]
            if (form !is Cons) return form
            val operator = form.head
            val args = items(form.tail)
            if (operator is Symbol) {
                when (operator.name) {
                    "quote" -> return args[0]
                    "if" -> {
                        form = if (eval(args[0], env) != false) args[1] else args.getOrElse(2) { Nil }
                        continue
                    }
                    "define" -> return define(args, env)
                    "set!" -> return eval(args[1], env).also { env.assign(args[0] as Symbol, it) }
                    "lambda" -> return Lambda(items(args[0]).map { it as Symbol }, args.drop(1), env)
                    "let" -> {
                        val inner = Env(env)
                        for (binding in items(args[0])) {
                            val (name, value) = items(binding)
                            inner.define(name as Symbol, eval(value, env))
                        }
                        env = inner
                        form = Cons(Symbol("begin"), args.drop(1).toLisp())
                        continue
                    }
                    "begin" -> {
                        if (args.isEmpty()) return Nil
                        for (i in 0 until args.size - 1) eval(args[i], env)
                        form = args.last()
                        continue
                    }
                    "try" -> return attempt(args, env)
                    "escape" -> return escape(args, env)
                }
            }
            val callee = eval(operator, env)
            val values = args.map { eval(it, env) }
            if (callee !is Lambda) return apply(callee, values)
            env = bind(callee, values)
            for (i in 0 until callee.body.size - 1) eval(callee.body[i], env)
            form = callee.body.last()
        }
    }

    private fun define(args: List<Any?>, env: Env): Any? {
        val target = args[0]
        if (target is Cons) {
            val name = target.head as Symbol
            env.define(name, Lambda(items(target.tail).map { it as Symbol }, args.drop(1), env))
            return name
        }
        env.define(target as Symbol, eval(args[1], env))
        return target
    }

    /** (try FORM (NAME HANDLER) [FINALLY]) */
    private fun attempt(args: List<Any?>, env: Env): Any? {
        try {
            return eval(args[0], env)
        } catch (e: LispError) {
            val (name, handler) = items(args[1])
            return eval(handler, Env(env).also { it.define(name as Symbol, e.message) })
        } finally {
            if (args.size > 2) eval(args[2], env)
        }
    }

    /** (escape NAME FORM): in the form, (NAME value) leaves it with the value. */
    private fun escape(args: List<Any?>, env: Env): Any? {
        val inner = Env(env)
        inner.define(args[0] as Symbol, Builtin("escape") { throw Escape(inner, it[0]) })
        try {
            return eval(args[1], inner)
        } catch (e: Escape) {
            if (e.target !== inner) throw e
            return e.value
        }
    }

    private fun bind(f: Lambda, values: List<Any?>): Env {
        if (f.params.size != values.size)
            throw LispError("${show(f)} takes ${f.params.size} arguments, not ${values.size}")
        return Env(f.env).also { env -> f.params.zip(values) { name, value -> env.define(name, value) } }
    }

    fun apply(f: Any?, values: List<Any?>): Any? = when (f) {
        is Builtin -> f.run(values)
        is Lambda -> bind(f, values).let { env -> f.body.map { eval(it, env) }.last() }
        else -> throw LispError("not a function: ${show(f)}")
    }
}

// ---- what there is from the start ----

inline fun <reified T : Any> Any?.expect(): T =
    this as? T ?: throw LispError("${show(this)} is not a ${T::class.simpleName}")

fun Lisp.builtin(name: String, run: (List<Any?>) -> Any?) = globals.define(Symbol(name), Builtin(name) {
    try {
        run(it)
    } catch (e: IndexOutOfBoundsException) {
        throw LispError("$name: too few arguments", e)
    } catch (e: ArithmeticException) {
        throw LispError("$name: arithmetic", e)
    }
})

fun compare(a: Any?, b: Any?): Int = when {
    a is Long && b is Long -> a.compareTo(b)
    a is String && b is String -> a.compareTo(b)
    a is Cons && b is Cons -> compare(a.head, b.head).let { if (it != 0) it else compare(a.tail, b.tail) }
    a === Nil || b === Nil -> (if (a === Nil) 0 else 1) - (if (b === Nil) 0 else 1)
    else -> throw LispError("${show(a)} and ${show(b)} have no order")
}

fun divide(a: Long, b: Long): Long = if (b == 0L) throw ArithmeticException("zero") else a / b

fun Lisp.define() {
    builtin("+") { it.fold(0L) { sum, x -> sum + x.expect<Long>() } }
    builtin("*") { it.fold(1L) { product, x -> product * x.expect<Long>() } }
    builtin("-") { if (it.size == 1) -it[0].expect<Long>() else it[0].expect<Long>() - it[1].expect<Long>() }
    builtin("/") { divide(it[0].expect(), it[1].expect()) }
    builtin("mod") { it[0].expect<Long>().mod(it[1].expect<Long>().also { n -> divide(1, n) }) }
    builtin("<") { compare(it[0], it[1]) < 0 }
    builtin("=") { it[0] == it[1] || show(it[0]) == show(it[1]) }
    builtin("cons") { Cons(it[0], it[1]) }
    builtin("car") { it[0].expect<Cons>().head }
    builtin("cdr") { it[0].expect<Cons>().tail }
    builtin("null?") { it[0] === Nil }
    builtin("pair?") { it[0] is Cons }
    builtin("list") { it.toLisp() }
    builtin("length") { items(it[0]).size.toLong() }
    builtin("range") { (it[0].expect<Long>() until it[1].expect<Long>()).toList().toLisp() }
    builtin("map") { args -> items(args[1]).map { apply(args[0], listOf(it)) }.toLisp() }
    builtin("filter") { args -> items(args[1]).filter { apply(args[0], listOf(it)) != false }.toLisp() }
    builtin("fold") { args -> items(args[2]).fold(args[1]) { sum, x -> apply(args[0], listOf(sum, x)) } }
    builtin("sort") { args -> items(args[0]).sortedWith(::compare).toLisp() }
    builtin("group") { args ->
        items(args[1]).groupBy { apply(args[0], listOf(it)) }.entries
            .sortedWith { a, b -> compare(a.key, b.key) }
            .map { Cons(it.key, it.value.toLisp()) }.toLisp()
    }
    builtin("table") { LinkedHashMap<Any?, Any?>() }
    builtin("put") { it[0].expect<MutableMap<Any?, Any?>>()[it[1]] = it[2]; it[2] }
    builtin("get") { it[0].expect<Map<Any?, Any?>>()[it[1]] ?: it[2] }
    builtin("concat") { it.joinToString("") { x -> if (x is String) x else show(x) } }
    builtin("split") { it[0].expect<String>().split(it[1].expect<String>()).toLisp() }
    builtin("upper") { it[0].expect<String>().uppercase() }
    builtin("chars") { it[0].expect<String>().map { c -> c.toString() }.toLisp() }
    builtin("raise") { throw LispError(it.joinToString(" ") { x -> if (x is String) x else show(x) }) }
    builtin("apply") { apply(it[0], items(it[1])) }
    builtin("print") { println(it.joinToString(" ") { x -> if (x is String) x else show(x) }); Nil }
}

/** The number of forms that failed. */
fun runLisp(text: String): Int {
    val lisp = Lisp().also { it.define() }
    val reader = Reader(text)
    var errors = 0
    try {
        while (!reader.atEnd()) {
            val form = reader.next()
            try {
                println(show(lisp.eval(form, lisp.globals)))
            } catch (e: LispError) {
                errors++
                println("error: ${e.message}" + (e.cause?.let { " (${it::class.simpleName})" } ?: ""))
            } catch (e: Escape) {
                errors++
                println("error: escaped with ${show(e.value)}")
            } catch (e: ClassCastException) {
                errors++
                println("error: bad form")
            }
        }
    } catch (e: LispError) {
        errors++
        println("error: ${e.message}")
    }
    println("$errors errors, ${lisp.steps} steps")
    return errors
}

fun work() {
    val text = readInput()
    if (text.startsWith("tour")) tour(text.lines()) else runLisp(text)
}
