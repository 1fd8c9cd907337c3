// Sets every formula of some Markdown files with KaTeX in strict mode, where a warning is an error.
import { readFileSync } from "node:fs";
import katex from "katex";

let formulas = 0;
let refused = 0;
for (const path of process.argv.slice(2)) {
    for (const [source, display, inline] of readFileSync(path, "utf8").matchAll(/\$\$([\s\S]+?)\$\$|\$([^$]+?)\$/g)) {
        formulas += 1;
        try {
            katex.renderToString(display ?? inline, { displayMode: display !== undefined, strict: "error" });
        } catch (error) {
            refused += 1;
            console.log(`${path}: ${error.message}\n    ${source}`);
        }
    }
}
console.log(`KaTeX takes ${formulas - refused} of ${formulas} formulas`);
process.exit(formulas > 0 && refused === 0 ? 0 : 1);
