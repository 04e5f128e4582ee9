export type Shape = { kind: "circle"; r: number } | { kind: "box"; w: number; h: number };

export function area(shape: Shape): number | undefined {
    switch (shape.kind) {
        case "circle": return Math.PI * shape.r ** 2;
        case "box": return shape.w * shape.h;
    }
}

export function perimeter(shape: Shape) { return "dropped by tree shaking" + shape.kind; }
