/** Parameters in sections, as one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parametersOf } from './content-type.ts'
import { withJoinedSections } from './parameter-sections.ts'

const rows: readonly (readonly [string, ...(readonly string[])])[] = [
  ['; charset=x; name=y', 'charset=x', 'name=y'],
  ['; name*0="a "; name*1=b; x=1', 'name=a b', 'x=1'],
  ['; name*1=b; x=1; name*0=a', 'x=1', 'name=ab'],
  [
    '; filename*0*=utf-8\'\'r%C3%A9; filename*1*=su; filename*2="m %.pdf"',
    "filename*=utf-8''r%C3%A9sum%20%25.pdf",
  ],
  ['; name*0=a; name*1*=%20b', "name*=''a%20b"],
  ["; name*=utf-8''x", "name*=utf-8''x"],
  // No first section, or a hole: what is there stands as it came.
  ['; name*1=b; name*2=c', 'name*1=b', 'name*2=c'],
  ['; name*0=a; name*2=c', 'name=a', 'name*2=c'],
  // It stands there whole as well.
  ['; name=whole; name*0=a; name*1=b', 'name=whole', 'name*0=a', 'name*1=b'],
  ['; *0=a; **0=b; *=c', '*0=a', '**0=b', '*=c'],
]

test('sections are joined, and what is none stands as it came', () => {
  for (const [field, ...told] of rows) {
    const joined = withJoinedSections(parametersOf(`text/plain${field}`))
    assert.deepEqual(
      joined.map(([name, value]) => `${name}=${value}`),
      told,
      field,
    )
  }
})
