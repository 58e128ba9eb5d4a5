// Write src/lib/schema.ts from the pydantic models: `npm run types` (or -- --check).
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { compile } from 'json-schema-to-typescript';

const SOURCE = `
import json
from clearhead.report import AppData
print(json.dumps(AppData.model_json_schema(mode="serialization")))
`;
const file = new URL('../src/lib/schema.ts', import.meta.url);
const schema = JSON.parse(execFileSync(process.env.PYTHON ?? 'python', ['-c', SOURCE], { encoding: 'utf8' }));

// A field's title only repeats its name, and would become a type of its own.
function untitle(value, isType) {
  if (Array.isArray(value)) return value.forEach((one) => untitle(one, false));
  if (value === null || typeof value !== 'object') return;
  if (!isType && typeof value.title === 'string') delete value.title;
  for (const [key, one] of Object.entries(value)) {
    if (key === '$defs') Object.values(one).forEach((definition) => untitle(definition, true));
    else if (key === 'properties') Object.values(one).forEach((field) => untitle(field, false));
    else untitle(one, false);
  }
  // A pair, in the words of the drafts that the compiler reads.
  if (value.prefixItems) {
    value.items = value.prefixItems;
    delete value.prefixItems;
  }
  // A defaulted field is always written.
  if (value.properties) value.required = Object.keys(value.properties);
}
untitle(schema, true);
const text = await compile(schema, 'AppData', {
  additionalProperties: false,
  bannerComment: '// Made from the pydantic models by `npm run types`: do not edit.',
  style: { singleQuote: true, printWidth: 110 },
});
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('src/lib/schema.ts is not what the Python schema gives: run `npm run types`.');
    process.exit(1);
  }
} else writeFileSync(file, text);
