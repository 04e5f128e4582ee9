import { area, type Shape } from "~/shapes";
import { once, unused } from "tiny";
import data from "./data.json";
import note from "./note.txt";
import "./style.css";

enum Colour { Red = 1, Green, Blue = Red | Green }
const enum Size { Small = "s", Large = "l" }

class Counter<T extends Shape> {
    #seen = new Map<string, number>();
    static readonly instances: Counter<Shape>[] = [];
    declare readonly never: T;
    constructor(private readonly name: string, public limit = 10 ** 3) { Counter.instances.push(this as never); }
    add(shape: T): this { this.#seen.set(shape.kind, (this.#seen.get(shape.kind) ?? 0) + 1); return this; }
    get total() { return [...this.#seen.values()].reduce((a, b) => a + b, 0); }
    async *each() { for (const [kind, n] of this.#seen) yield { kind, n, by: this.name }; }
}

const shapes: Shape[] = data.shapes as Shape[];
const counter = new Counter("main");
for (const shape of shapes) counter.add(shape);
const hello = once(() => `${note.trim()} ${Colour[Colour.Blue]} ${Size.Large}`);

export function Report({ title, ...rest }: { title: string; [key: string]: unknown }) {
    return <section {...rest}><h1>{title}</h1>{shapes.map((s, i) => <p key={i}>{s.kind}: {area(s)?.toFixed(2) ?? "none"}</p>)}</section>;
}

export const later = async () => (await import("./shapes/lazy")).lazy(counter.total, hello());
