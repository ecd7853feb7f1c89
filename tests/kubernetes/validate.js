// validate FILE…: are these manifests what Kubernetes' own schemas say? Prints what is wrong; run it where the packages of
// package.json are installed. The schemas let unknown fields pass, which the server drops: whatever no schema has read is one.
const fs = require('fs')
const { createRequire } = require('module')
const from = createRequire(process.cwd() + '/')
const yaml = from('js-yaml')

const watched = (value, path, read) =>
  value === null || typeof value !== 'object'
    ? value
    : new Proxy(value, {
        get(target, key) {
          if (typeof key !== 'string' || !Object.hasOwn(target, key)) return target[key]
          read.add(`${path}/${key}`)
          return watched(target[key], `${path}/${key}`, read)
        },
      })

const unread = (value, path, read) =>
  value === null || typeof value !== 'object'
    ? []
    : Object.keys(value).flatMap((key) => (read.has(`${path}/${key}`) ? unread(value[key], `${path}/${key}`, read) : [`${path}/${key}`]))

const capital = (word) => word[0].toUpperCase() + word.slice(1)

let wrong = 0
for (const file of process.argv.slice(2)) {
  for (const manifest of yaml.loadAll(fs.readFileSync(file, 'utf8'))) {
    const say = (what) => (wrong++, console.log(`${file}: ${manifest.kind}: ${what}`))
    const name = ['io', 'k8s', 'api', ...(manifest.apiVersion.includes('/') ? manifest.apiVersion : `core/${manifest.apiVersion}`).split('/'), manifest.kind].map(capital).join('')
    const { validate } = require(`${process.cwd()}/node_modules/kubernetes-models/_schemas/${name}.js`)
    const read = new Set()
    if (!validate(watched(manifest, '', read))) for (const e of validate.errors) say(`${e.instancePath} ${e.message ?? JSON.stringify(e.params)}`)
    for (const path of unread(manifest, '', read)) say(`${path} is in no schema`)
  }
}
process.exit(wrong ? 1 : 0)
