// Writes src/proto.ts and src/proto-texts.ts: the protocol's messages as the HTTP API shows them (services/runtime/io/json.h):
// names stay, an int64 that is a time is RFC 3339 or null, an enum is its short name or null, an unset
// message or member of a oneof is null. So the page's types cannot differ from the protocol.
//
// The API says null for an empty text too (codec_json); the page makes it "" again by the field's name, so
// proto-texts.ts has the names of texts that stand for nothing else that can be null.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const FILES = ['ingest', 'feedback', 'recognition', 'reporting'];
const NUMBERS = new Set(['double', 'float', 'int32', 'uint32', 'int64', 'uint64']);

const isTime = (type, name) => type === 'int64' && /(^|_)(at|since)$/.test(name);
const shortName = (prefix, value) => value.slice(prefix.length + 1).toLowerCase();
const upper = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

function blocks(text, word) {
  const found = [];
  for (const head of text.matchAll(new RegExp(`^${word} (\\w+) \\{`, 'gm'))) {
    let at = head.index + head[0].length;
    const from = at;
    for (let depth = 1; depth > 0; at++) depth += text[at] === '{' ? 1 : text[at] === '}' ? -1 : 0;
    found.push([head[1], text.slice(from, at - 1)]);
  }
  return found;
}

function enumType([name, body]) {
  const values = [...body.matchAll(/(\w+) = (\d+);/g)].filter((m) => m[2] !== '0').map((m) => `'${shortName(upper(name), m[1])}'`);
  return `export type ${name} = ${values.join(' | ')};`;
}

function fieldType(type, name, isRepeated, isInOneof, enums) {
  if (isTime(type, name)) return 'string | null';
  const base = NUMBERS.has(type) ? 'number' : type === 'bool' ? 'boolean' : type === 'string' || type === 'bytes' ? 'string' : type;
  if (isRepeated) return `${base}[]`;
  const isKnown = base !== type || type === 'string';
  return enums.has(type) || !isKnown || isInOneof ? `${base} | null` : base;
}

function messageType([name, body], enums) {
  let oneof = false;
  const fields = [];
  for (const line of body.split('\n').map((l) => l.trim())) {
    if (line.startsWith('oneof')) oneof = true;
    else if (line === '}') oneof = false;
    const field = /^(repeated )?(\w+) (\w+) = \d+/.exec(line);
    if (field) fields.push(`  ${field[3]}: ${fieldType(field[2], field[3], Boolean(field[1]), oneof, enums)};`);
  }
  return fields.length ? `export interface ${name} {\n${fields.join('\n')}\n}` : `export type ${name} = Record<string, never>;`;
}

const texts = FILES.map((f) => readFileSync(join(here, `../../../proto/moment/v1/${f}.proto`), 'utf8').replace(/\/\/.*$/gm, ''));
const enums = texts.flatMap((t) => blocks(t, 'enum'));
const names = new Set(enums.map(([name]) => name));
const written = [
  '// Written by proto-types.mjs from proto/moment/v1; not kept in the repository.',
  ...enums.map(enumType),
  ...texts.flatMap((t) => blocks(t, 'message')).map((m) => messageType(m, names)),
];

// A member of a message that is a message itself is only looked at for being there: "" says no as null does.
const isText = new Map();
for (const message of written)
  for (const [, name, type] of message.matchAll(/^  (\w+): (.+);$/gm)) {
    const isNullable = / \| null$/.test(type) && (/^(string|number|boolean) /.test(type) || names.has(type.split(' ')[0]));
    isText.set(name, isNullable ? false : isText.get(name) !== false && (type === 'string' || Boolean(isText.get(name))));
  }
const plain = [...isText].filter(([, is]) => is).map(([name]) => name).sort();
writeFileSync(join(here, 'src/proto-texts.ts'), `// Written by proto-types.mjs.\nexport const TEXTS: ReadonlySet<string> = new Set('${plain.join(' ')}'.split(' '));\n`);
writeFileSync(join(here, 'src/proto.ts'), `${written.join('\n\n')}\n`);
