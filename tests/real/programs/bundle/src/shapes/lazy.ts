import { area } from ".";
export const lazy = (n: number, text: string) => ({ n, text, unit: area({ kind: "box", w: 1, h: 1 }) });
