// shapes.cpp - C++ with virtual functions: a scene of shapes behind base pointers, a visitor, an
// expression tree with dynamic dispatch, an observer list.
#include "bench.h"
#include <memory>
#include <vector>

namespace {

struct Circle;
struct Box;
struct Group;

struct Visitor {
    virtual void circle(const Circle &) = 0;
    virtual void box(const Box &) = 0;
    virtual void group(const Group &) = 0;
    virtual ~Visitor() = default;
};

struct Shape {
    virtual double area() const = 0;
    virtual void scale(double by) = 0;
    virtual void accept(Visitor &) const = 0;
    virtual ~Shape() = default;
};

struct Circle final : Shape {
    double radius;
    explicit Circle(double r) : radius(r) {}
    double area() const override { return 3.140625 * radius * radius; }
    void scale(double by) override { radius *= by; }
    void accept(Visitor &v) const override { v.circle(*this); }
};

struct Box final : Shape {
    double width, height;
    Box(double w, double h) : width(w), height(h) {}
    double area() const override { return width * height; }
    void scale(double by) override { width *= by, height *= by; }
    void accept(Visitor &v) const override { v.box(*this); }
};

struct Group final : Shape {
    std::vector<std::unique_ptr<Shape>> members;
    double area() const override {
        double sum = 0;
        for (const auto &m : members) sum += m->area();
        return sum;
    }
    void scale(double by) override {
        for (auto &m : members) m->scale(by);
    }
    void accept(Visitor &v) const override {
        v.group(*this);
        for (const auto &m : members) m->accept(v);
    }
};

struct Count : Visitor {
    uint32_t circles = 0, boxes = 0, groups = 0;
    void circle(const Circle &) override { circles++; }
    void box(const Box &b) override { boxes += b.width > b.height ? 2 : 1; }
    void group(const Group &g) override { groups += uint32_t(g.members.size()); }
};

std::unique_ptr<Shape> make(uint32_t &seed, int depth) {
    uint32_t r = bench_random(&seed);
    if (depth > 0 && (r & 3)) {
        auto group = std::make_unique<Group>();
        for (uint32_t i = 0; i < 2 + (r >> 8) % 4; i++)
            group->members.push_back(make(seed, depth - 1));
        return group;
    }
    if (r & 4) return std::make_unique<Circle>(1 + (r >> 4 & 15));
    return std::make_unique<Box>(1 + (r >> 4 & 15), 1 + (r >> 8 & 15));
}

struct Expression {
    virtual int64_t value(const int64_t *variables) const = 0;
    virtual ~Expression() = default;
};
using Ptr = std::unique_ptr<Expression>;

struct Constant : Expression {
    int64_t v;
    explicit Constant(int64_t x) : v(x) {}
    int64_t value(const int64_t *) const override { return v; }
};
struct Variable : Expression {
    int index;
    explicit Variable(int i) : index(i) {}
    int64_t value(const int64_t *variables) const override { return variables[index]; }
};
struct Sum : Expression {
    Ptr a, b;
    Sum(Ptr x, Ptr y) : a(std::move(x)), b(std::move(y)) {}
    int64_t value(const int64_t *v) const override { return a->value(v) + b->value(v); }
};
struct Product : Expression {
    Ptr a, b;
    Product(Ptr x, Ptr y) : a(std::move(x)), b(std::move(y)) {}
    int64_t value(const int64_t *v) const override { return a->value(v) * b->value(v); }
};

Ptr expression(uint32_t &seed, int depth) {
    uint32_t r = bench_random(&seed);
    if (depth == 0) {
        if (r & 1) return std::make_unique<Constant>(r >> 20);
        return std::make_unique<Variable>(r >> 30);
    }
    Ptr a = expression(seed, depth - 1), b = expression(seed, depth - 1);
    if (r & 2) return std::make_unique<Sum>(std::move(a), std::move(b));
    return std::make_unique<Product>(std::move(a), std::move(b));
}

} // namespace

int main(int argc, char **argv) {
    uint64_t n = bench_iterations(argc, argv, 3200), sum = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t seed = uint32_t(sum) | 1;
        auto scene = make(seed, 4);
        auto tree = expression(seed, 7);
        for (int turn = 0; turn < 10; turn++) {
            sum = bench_mix(sum, uint64_t(scene->area()));
            scene->scale(turn & 1 ? 0.5 : 1.75);
            Count count;
            scene->accept(count);
            sum = bench_mix(sum, count.circles + count.boxes * 3u + count.groups * 7u);
            const int64_t variables[4] = {turn, int64_t(sum & 15), 3, -turn};
            sum = bench_mix(sum, uint64_t(tree->value(variables)));
        }
    }
    return bench_report("shapes", n, sum);
}
