// client-values.mjs N: N rows by Prisma's client beside N rows by mig-seed: do their made values have the same form?
// Both tables have the columns of the model; prints what differs, and exits 1.
const many = Number(process.argv[2])
const forms = {
  cuid1: /^c[0-9a-z]{24}$/,
  cuid2: /^[a-z][0-9a-z]{23}$/,
  uuid4: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  uuid7: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  nano21: /^[A-Za-z0-9_-]{21}$/,
  nano5: /^[A-Za-z0-9_-]{5}$/,
  ulid: /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/,
}
// when a value says that it was made, in milliseconds
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const times = {
  cuid1: (v) => parseInt(v.slice(1, 9), 36),
  uuid7: (v) => parseInt(v.slice(0, 8) + v.slice(9, 13), 16),
  ulid: (v) => [...v.slice(0, 10)].reduce((n, c) => n * 32 + digits.indexOf(c), 0),
}
let bad = 0
const wrong = (text) => (bad++, console.log(text))

await prisma.theirs.createMany({ data: Array.from({ length: many }, (_, n) => ({ n })) })
const tables = { theirs: await prisma.theirs.findMany(), ours: await prisma.ours.findMany() }
for (const [name, rows] of Object.entries(tables)) if (rows.length !== many) wrong(`${name}: ${rows.length} rows`)
for (const column of Object.keys(forms)) {
  const seen = {}
  for (const [name, rows] of Object.entries(tables)) {
    const values = rows.map((row) => row[column])
    const odd = values.find((v) => !forms[column].test(v))
    if (odd !== undefined) wrong(`${name}.${column}: ${odd}`)
    if (column !== 'nano5' && new Set(values).size !== values.length) wrong(`${name}.${column}: some appear twice`)
    if (times[column] && values.some((v) => Math.abs(times[column](v) - Date.now()) > 600000)) wrong(`${name}.${column}: not of today`)
    // the letters at each place that is random in both: with some thousand values each letter has been there
    seen[name] = Array.from({ length: values[0].length }, (_, i) => [...new Set(values.map((v) => v[i]))].sort().join(''))
  }
  if (seen.theirs.length !== seen.ours.length) wrong(`${column}: the lengths differ`)
  if (many >= 10000)
    seen.theirs.forEach((letters, i) => {
      const random = letters.length >= 16 && !(times[column] && i < 13) && !(column === 'cuid1' && i < 17)
      if (random && letters !== seen.ours[i]) wrong(`${column}, letter ${i + 1}: ${letters} and ${seen.ours[i]}`)
    })
}
for (const [name, rows] of Object.entries(tables))
  for (const column of ['createdAt', 'updatedAt'])
    if (rows.some((row) => Math.abs(row[column] - Date.now()) > 600000)) wrong(`${name}.${column}: not of today, in UTC`)
console.log(`${many} rows each, ${Object.keys(forms).length} forms of ids, 2 times: ${bad} differences`)
process.exitCode = bad > 0 ? 1 : 0
