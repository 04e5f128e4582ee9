// Exceptions and longjmp as large programs use them, for tests/real/run.sh: an interpreter of a small
// language reads lines from standard input and reports errors by throwing; every object that is alive is
// counted, so that a frame that was not unwound shows. Prints the same wherever it is built.

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static int alive, made;

struct Counted {
    Counted() { alive++, made++; }
    Counted(const Counted &) { alive++, made++; }
    ~Counted() { alive--; }
};

// ---- errors: several bases, a virtual one, contents of their own ----

struct Error : std::runtime_error, Counted {
    size_t column;
    Error(size_t at, const std::string &what) : std::runtime_error(what), column(at) {}
};

struct Located {
    std::string where;
    virtual ~Located() = default;
};

struct SyntaxError : virtual Located, Error {
    SyntaxError(size_t at, const std::string &what) : Error(at, "syntax: " + what) {
        where = "parser";
    }
};

struct ValueError : virtual Located, Error {
    int64_t value;
    ValueError(size_t at, int64_t v, const std::string &what)
        : Error(at, "value: " + what), value(v) {
        where = "evaluator";
    }
};

struct Return : Counted { // control flow by throwing
    int64_t value;
    explicit Return(int64_t v) : value(v) {}
};

// ---- the language: sums and products, names, calls, let, return ----

struct Node : Counted {
    char kind;
    size_t at;
    int64_t number = 0;
    std::string name;
    std::vector<std::unique_ptr<Node>> parts;
    Node(char k, size_t a) : kind(k), at(a) {}
};
using NodePtr = std::unique_ptr<Node>;

class Parser : Counted {
    const std::string &text;
    size_t at = 0;

    char peek() {
        while (at < text.size() && text[at] == ' ') at++;
        return at < text.size() ? text[at] : 0;
    }

    NodePtr binary(char kind, NodePtr left, NodePtr right) {
        auto node = std::make_unique<Node>(kind, left->at);
        node->parts.push_back(std::move(left));
        node->parts.push_back(std::move(right));
        return node;
    }

    NodePtr word() {
        auto node = std::make_unique<Node>('n', at);
        while (at < text.size() && isalnum((unsigned char)text[at])) node->name += text[at++];
        if (peek() != '(') return node;
        node->kind = 'c';
        at++;
        while (peek() != ')') {
            node->parts.push_back(sum());
            if (peek() == ',')
                at++;
            else if (peek() != ')')
                throw SyntaxError(at, "expected , or )");
        }
        at++;
        return node;
    }

    NodePtr atom() {
        char c = peek();
        if (c == '(') {
            at++;
            auto node = sum();
            if (peek() != ')') throw SyntaxError(at, "expected )");
            at++;
            return node;
        }
        if (isalpha((unsigned char)c)) return word();
        auto node = std::make_unique<Node>('#', at);
        size_t used = 0;
        try {
            node->number = std::stoll(text.substr(at), &used);
        } catch (const std::out_of_range &) {
            std::throw_with_nested(SyntaxError(at, "number too large"));
        } catch (const std::invalid_argument &) {
            throw SyntaxError(at, c ? std::string("unexpected ") + c : "unexpected end");
        }
        at += used;
        return node;
    }

    NodePtr product() {
        auto left = atom();
        for (char c; (c = peek()) == '*' || c == '/' || c == '%';) {
            at++;
            left = binary(c, std::move(left), atom());
        }
        return left;
    }

    NodePtr sum() {
        auto left = product();
        for (char c; (c = peek()) == '+' || c == '-';) {
            at++;
            left = binary(c, std::move(left), product());
        }
        return left;
    }

  public:
    explicit Parser(const std::string &t) : text(t) {}
    NodePtr parse() {
        auto node = sum();
        if (peek()) throw SyntaxError(at, "what follows is too much");
        return node;
    }
};

class Evaluator : Counted {
    std::map<std::string, int64_t> names{{"ten", 10}};
    int depth = 0;

    struct Depth { // counts frames, also those that are left by an exception
        int &n;
        explicit Depth(int &d) : n(d) { n++; }
        ~Depth() { n--; }
    };

    int64_t deep(size_t at, int64_t n) {
        Depth frame(depth);
        Counted local;
        if (n == 0) throw ValueError(at, depth, "bottom");
        return deep(at, n - 1) + 1;
    }

    /** Each frame catches, adds to the message, and throws on what it caught or another. */
    int64_t relay(size_t at, int64_t n) {
        Depth frame(depth);
        try {
            return n == 0 ? deep(at, 3) : relay(at, n - 1) + 1;
        } catch (ValueError &e) {
            e.where += '.';
            if (n % 2) throw;
            throw ValueError(e);
        }
    }

    int64_t call(const Node &node, const std::vector<int64_t> &args) {
        if (node.name == "return") throw Return(args.at(0));
        if (node.name == "deep") return deep(node.at, args.at(0));
        if (node.name == "relay") return relay(node.at, args.at(0));
        if (node.name == "bytes") {
            size_t n = (size_t)args.at(0);
            return (int64_t)std::string(n, 'x').size();
        }
        if (node.name == "or") return args.at(0) ? args.at(0) : args.at(1);
        throw ValueError(node.at, 0, "no function " + node.name);
    }

  public:
    int64_t eval(const Node &node) {
        Depth frame(depth);
        std::vector<int64_t> args;
        if (node.kind == 'c' && node.name == "try") { // the second one, if the first fails
            try {
                return eval(*node.parts.at(0));
            } catch (const Error &e) {
                names["error"] = (int64_t)e.column;
            }
            return eval(*node.parts.at(1));
        }
        for (auto &part : node.parts) args.push_back(eval(*part));
        switch (node.kind) {
        case '#': return node.number;
        case 'n': return names.at(node.name);
        case 'c': return call(node, args);
        case '+': return args[0] + args[1];
        case '-': return args[0] - args[1];
        case '*': return args[0] * args[1];
        }
        if (args[1] == 0) throw ValueError(node.at, args[0], "division by zero");
        return node.kind == '/' ? args[0] / args[1] : args[0] % args[1];
    }
    bool balanced() const { return depth == 0; }
};

/** What the standard library's own ones say differs from one to the next. */
static const char *text_of(const std::exception &e) {
    if (dynamic_cast<const Error *>(&e)) return e.what();
    if (dynamic_cast<const std::out_of_range *>(&e)) return "out of range";
    if (dynamic_cast<const std::length_error *>(&e)) return "too long";
    return dynamic_cast<const std::logic_error *>(&e) ? "logic" : "another";
}

static void report(const std::exception &e, int level = 0) {
    printf("%*s%s", level * 2, "", text_of(e));
    if (auto *error = dynamic_cast<const Error *>(&e)) printf(" at column %zu", error->column);
    if (auto *place = dynamic_cast<const Located *>(&e)) printf(" (%s)", place->where.c_str());
    if (auto *value = dynamic_cast<const ValueError *>(&e))
        printf(" [%lld]", (long long)value->value);
    puts("");
    try {
        std::rethrow_if_nested(e);
    } catch (const std::exception &inner) {
        report(inner, level + 1);
    } catch (...) {
        puts("  something else");
    }
}

static std::vector<std::exception_ptr> kept;

static void run_line(Evaluator &evaluator, const std::string &line) {
    try {
        auto tree = Parser(line).parse();
        printf("%lld\n", (long long)evaluator.eval(*tree));
    } catch (const Return &r) {
        printf("returned %lld\n", (long long)r.value);
    } catch (const std::bad_alloc &) {
        puts("no memory");
    } catch (const std::exception &e) {
        report(e);
        kept.push_back(std::current_exception());
    } catch (...) {
        puts("what is that?");
    }
    printf("  %d alive, %s\n", alive, evaluator.balanced() ? "balanced" : "NOT BALANCED");
}

// ---- what a language of lines does not reach ----

struct Noisy {
    const char *name;
    explicit Noisy(const char *n) : name(n) { printf("+%s ", name); }
    ~Noisy() { printf("-%s(%d) ", name, std::uncaught_exceptions()); }
};

struct Careful { // its destructor throws and catches while another exception is under way
    ~Careful() {
        try {
            Noisy inner("inner");
            throw 'c';
        } catch (char c) {
            printf("[%c] ", c);
        }
    }
};

struct Half { // a constructor that fails: what was made is unmade
    Noisy a{"a"}, b{"b"};
    Noisy array[2]{Noisy("0"), Noisy("1")};
    Half() try : a("A") { throw 7L; } catch (long n) {
        printf("construction %ld ", n);
    }
};

static void order() {
    try {
        Noisy outer("outer");
        Careful careful;
        Half half;
    } catch (long n) {
        printf("=> %ld\n", n);
    }
    try {
        Noisy once("once");
        throw static_cast<const char *>("text");
    } catch (const void *p) {
        printf("=> %s\n", static_cast<const char *>(p));
    }
    std::function<int(int)> f = [&](int n) -> int {
        Noisy frame("f");
        return n ? f(n - 1) : throw std::bad_function_call();
    };
    try {
        f(3);
    } catch (std::exception &) {
        puts("=> caught by base");
    }
    try {
        []() noexcept(false) { throw Return(1); }();
    } catch (Return r) {
        printf("by value, %d alive\n", alive);
    }
}

// ---- longjmp ----

static jmp_buf outer_buffer, inner_buffer;
static volatile int jumps;

static void dive(int n, bool out) {
    volatile char frame[64];
    memset((char *)frame, n, sizeof frame);
    if (n == 0) longjmp(out ? outer_buffer : inner_buffer, ++jumps);
    dive(n - 1, out);
    printf("not reached %d\n", frame[0]);
}

static int inner(int n) {
    volatile int kept = n * 3;
    int from = setjmp(inner_buffer);
    if (from == 0) dive(n, false);
    printf("inner: from %d, kept %d\n", from, kept);
    if (from < 4) dive(2, false); // to the same place again
    try {                         // both kinds in one function
        if (from >= 4) throw from;
    } catch (int f) {
        printf("thrown in between: %d\n", f);
    }
    dive(n, true);
    return 0;
}

static void jump() {
    int from = setjmp(outer_buffer);
    if (from == 0) inner(10);
    printf("outer: from %d\n", from);
    if (from < 6) inner(from);
    for (volatile int i = 0; i < 5000; i++)
        if (setjmp(outer_buffer) == 0) dive(i % 7, true);
    printf("%d jumps\n", jumps);
}

static void many() { // exceptions by the thousand, of several kinds
    int64_t sum = 0;
    for (int i = 0; i < 20000; i++) {
        try {
            Counted local;
            if (i % 3 == 0) throw ValueError(0, i, "");
            if (i % 3 == 1) throw Return(i);
            throw i;
        } catch (const Error &) {
            sum += 1;
        } catch (const Return &r) {
            sum += r.value;
        } catch (int n) {
            sum -= n;
        }
    }
    printf("%lld, %d alive of %d\n", (long long)sum, alive, made);
}

int main() {
    char line[1000];
    {
        Evaluator evaluator;
        while (fgets(line, sizeof line, stdin)) {
            line[strcspn(line, "\n")] = 0;
            printf("> %s\n", line);
            run_line(evaluator, line);
        }
    }
    for (auto &p : kept) {
        try {
            std::rethrow_exception(p);
        } catch (const SyntaxError &e) {
            printf("kept: %s\n", e.what());
        } catch (const std::exception &) {
            printf("kept: another\n");
        }
    }
    kept.clear();
    order();
    jump();
    many();
    fflush(stdout);
    return alive;
}
