#!/usr/bin/env python3
"""datamodels.py SEED COUNT: so many pairs of random datamodels, of which the second is the first with a few edits.

One JSON object a line, {"from": TEXT, "to": TEXT}; every second one goes the other way. Most are valid, some are not, which is a
question too. Equal seeds give equal pairs.
"""
import copy
import json
import random
import sys

HEAD = 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n'
TYPES = {
    'Int': ['', '', '@db.SmallInt', '@db.Integer', '@db.Oid'],
    'BigInt': ['', '@db.BigInt'],
    'Float': ['', '@db.Real', '@db.DoublePrecision'],
    'Decimal': ['', '@db.Decimal(10, 2)', '@db.Decimal(12, 4)', '@db.Decimal(18, 0)', '@db.Decimal(2, 0)', '@db.Money'],
    'Boolean': ['', '@db.Boolean'],
    'String': ['', '', '@db.VarChar', '@db.VarChar(4)', '@db.VarChar(30)', '@db.VarChar(400)', '@db.Char(1)', '@db.Char', '@db.Char(36)',
               '@db.Bit(4)', '@db.Bit', '@db.VarBit', '@db.VarBit(9)', '@db.Uuid', '@db.Xml', '@db.Inet', '@db.Citext', '@db.Text'],
    'DateTime': ['', '@db.Date', '@db.Time', '@db.Time(3)', '@db.Timetz(6)', '@db.Timestamp', '@db.Timestamp(6)', '@db.Timestamptz(3)',
                 '@db.Timestamptz'],
    'Json': ['', '@db.Json', '@db.JsonB'],
    'Bytes': [''],
}
DEFAULTS = {
    'Int': ['3', '-1', '007', 'dbgenerated("1 + 1")'],
    'BigInt': ['7', '-9007199254740993'],
    'Float': ['1.50', '2', '-0.0', '00.10'],
    'Decimal': ['1.5', '"1.50"', '"1e3"', '100000000000000000000'],
    'Boolean': ['true', 'false'],
    'String': ['"x"', '"it\'s"', '""', '"a\\nb"', 'cuid()', 'uuid(7)', 'nanoid(9)', 'dbgenerated("now()::text")', 'dbgenerated()', '"é"'],
    'DateTime': ['now()', '"2020-01-01T00:00:00Z"', '"2021-05-06T07:08:09.1+02:00"', 'dbgenerated("now()")'],
    'Json': ['"{}"', '"[1, 2]"', '"{\\"a\\":1}"', '"{ \\"a\\" : 1 }"'],
    'Bytes': ['"YQ=="', '"aGVsbG8="'],
}
LISTS = {'Int': ['[]', '[1, 2]'], 'String': ['[]', '["a", "b\'c"]'], 'Float': ['[1.5, 2]'], 'Boolean': ['[true]'], 'Json': ['["{}"]'],
         'DateTime': ['["2020-01-01T00:00:00Z"]'], 'BigInt': ['[]'], 'Decimal': ['[1.0]'], 'Bytes': ['["YQ=="]']}
ACTIONS = ['Cascade', 'Restrict', 'NoAction', 'SetNull', 'SetDefault']
OPS = {'Json': 'JsonbPathOps', 'Int': 'Int4BloomOps', 'String': 'raw("gin_trgm_ops")'}


class Make:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.n = 0

    def name(self, prefix):
        self.n += 1
        long = self.r.random() < .04
        return prefix + str(self.n) + ('_' + 'very_long_name_' * 4 if long else self.r.choice(['', '', '_Aé', 'x']))

    def some(self, p):
        return self.r.random() < p

    def field(self, s):
        kind = self.r.random()
        f = dict(name=self.name('f'), map=None, default=None, arity=self.r.choice(['', '', '?', '[]']), unique=False, native='', auto=False)
        if kind < .12 and s['enums']:
            f['type'] = self.r.choice(s['enums'])['name']
        elif kind < .15:
            f['type'] = 'Unsupported("%s")' % self.r.choice(['point', 'tsvector'])
        else:
            f['type'] = self.r.choice(list(TYPES))
            f['native'] = self.r.choice(TYPES[f['type']])
        self.default(s, f)
        f['unique'] = self.some(.1)
        f['map'] = self.name('c_') if self.some(.15) else None
        return f

    def default(self, s, f):
        f['default'], f['auto'] = None, False
        if self.some(.5):
            return
        enum = next((e for e in s['enums'] if e['name'] == f['type']), None)
        if enum:
            value = self.r.choice(enum['values'])[0]
            f['default'] = '[%s]' % value if f['arity'] == '[]' else value
        elif f['type'].startswith('Unsupported'):
            f['default'] = 'dbgenerated("x")'
        elif f['arity'] == '[]':
            f['default'] = self.r.choice(LISTS[f['type']])
        elif f['type'] in ('Int', 'BigInt') and f['arity'] == '' and self.some(.2):
            f['default'], f['auto'] = 'autoincrement()', True
        else:
            f['default'] = self.r.choice(DEFAULTS[f['type']])

    def block(self, m):
        columns = [f for f in m['fields'] if not f['type'].startswith('Unsupported')]
        picked = self.r.sample(columns, min(len(columns), self.r.randint(1, 3)))
        kind = self.r.choice(['index', 'index', 'unique', 'index'])
        b = dict(kind=kind, fields=[(f['name'], self.r.choice(['', '', 'Desc', 'Asc'])) for f in picked], type='', ops='',
                 map=self.name('ix_') if self.some(.25) else None)
        if kind == 'index' and self.some(.2) and picked:
            b['fields'] = [(picked[0]['name'], '')]
            b['type'] = self.r.choice(['Hash', 'Gin', 'Brin', 'Gist', 'SpGist'])
            b['ops'] = OPS.get(picked[0]['type'], '') if self.some(.5) else ''
        return b

    def model(self, s):
        m = dict(name=self.name('M'), map=self.name('t_') if self.some(.2) else None, fields=[], blocks=[], key=None, keymap=None, ignore=False)
        for _ in range(self.r.randint(1, 6)):
            m['fields'].append(self.field(s))
        for _ in range(self.r.randint(0, 2)):
            m['blocks'].append(self.block(m))
        s['models'].append(m)

    def relation(self, s):
        if not s['models']:
            return
        a, b = self.r.choice(s['models']), self.r.choice(s['models'])
        s['relations'].append(dict(a=a['name'], b=b['name'], name=self.name('R'), kind=self.r.choice(['many', 'many', 'one', 'mn']), required=self.some(.5),
                                   delete=self.r.choice(ACTIONS + [None] * 4), update=self.r.choice(ACTIONS + [None] * 6),
                                   map=self.name('fk_') if self.some(.2) else None, field=self.name('r')))

    def schema(self):
        s = dict(enums=[], models=[], relations=[])
        for _ in range(self.r.randint(0, 2)):
            s['enums'].append(dict(name=self.name('E'), map=self.name('e_') if self.some(.2) else None,
                                   values=[(self.name('V'), None) for _ in range(self.r.randint(1, 4))]))
        for _ in range(self.r.randint(1, 4)):
            self.model(s)
        for _ in range(self.r.randint(0, 4)):
            self.relation(s)
        return s

    def edit(self, s):
        m = self.r.choice(s['models']) if s['models'] else None
        f = self.r.choice(m['fields']) if m and m['fields'] else None
        op = self.r.choice(['type', 'type', 'arity', 'default', 'default', 'add', 'drop', 'unique', 'map', 'block', 'unblock', 'key', 'keymap', 'enum+', 'enum-',
                            'enumdrop', 'tmap', 'model', 'unmodel', 'relation', 'unrelation', 'action', 'swap', 'auto', 'fkmap', 'kind'])
        if f and op == 'type':
            kept = f['map'], f['name']
            f.update(self.field(s))
            f['map'], f['name'] = kept
        elif f and op == 'arity':
            f['arity'] = self.r.choice(['', '?', '[]'])
            self.default(s, f)
        elif f and op == 'default':
            self.default(s, f)
        elif m and op == 'add':
            m['fields'].insert(self.r.randint(0, len(m['fields'])), self.field(s))
        elif f and op == 'drop':
            m['fields'].remove(f)
            for b in m['blocks']:
                b['fields'] = [x for x in b['fields'] if x[0] != f['name']]
            m['key'] = None if m['key'] and f['name'] in m['key'] else m['key']
        elif f and op == 'unique':
            f['unique'] = not f['unique']
        elif f and op == 'map':
            f['map'] = self.name('c_')
        elif f and op == 'auto' and f['type'] in ('Int', 'BigInt'):
            f['auto'] = not f['auto']
            f['arity'], f['default'] = '', 'autoincrement()' if f['auto'] else None
        elif m and op == 'block':
            m['blocks'].append(self.block(m))
        elif m and op == 'unblock' and m['blocks']:
            m['blocks'].remove(self.r.choice(m['blocks']))
        elif f and op == 'key' and f['arity'] == '' and not f['type'].startswith('Unsupported'):
            m['key'] = None if m['key'] else [f['name']] + (['id'] if self.some(.5) else [])
        elif m and op == 'keymap':
            m['keymap'] = self.name('pk_')
        elif m and op == 'tmap':
            m['map'] = None if m['map'] and self.some(.3) else self.name('t_')
        elif s['enums'] and op in ('enum+', 'enum-'):
            e = self.r.choice(s['enums'])
            if op == 'enum-' and len(e['values']) > 1:
                e['values'].remove(self.r.choice(e['values']))
            else:
                for _ in range(self.r.randint(1, 2)):
                    e['values'].insert(self.r.randint(0, len(e['values'])), (self.name('V'), None))
        elif s['enums'] and op == 'enumdrop':
            e = self.r.choice(s['enums'])
            s['enums'].remove(e)
            for x in (x for y in s['models'] for x in y['fields'] if x['type'] == e['name']):
                x['type'], x['default'] = 'String', None
        elif op == 'model':
            self.model(s)
        elif m and op == 'unmodel' and len(s['models']) > 1:
            s['models'].remove(m)
            s['relations'] = [r for r in s['relations'] if m['name'] not in (r['a'], r['b'])]
        elif op == 'relation':
            self.relation(s)
        elif s['relations'] and op in ('unrelation', 'action', 'fkmap', 'kind'):
            r = self.r.choice(s['relations'])
            if op == 'unrelation':
                s['relations'].remove(r)
            elif op == 'action':
                r['delete'], r['update'] = self.r.choice(ACTIONS + [None]), self.r.choice(ACTIONS + [None])
            elif op == 'kind':
                r['kind'] = self.r.choice(['many', 'one', 'mn'])
            else:
                r['map'] = self.name('fk_')
        elif m and op == 'swap' and len(m['fields']) > 1:
            self.r.shuffle(m['fields'])


def render_field(f):
    parts = [f['name'], f['type'] + f['arity'], f['native']]
    parts += ['@default(%s)' % f['default']] if f['default'] else []
    parts += ['@unique'] if f['unique'] else []
    parts += ['@map("%s")' % f['map']] if f['map'] else []
    return '  ' + ' '.join(p for p in parts if p)


def render_block(b):
    def part(name, sort):
        inner = ['sort: ' + sort] if sort else []
        inner += ['ops: ' + b['ops']] if b['ops'] else []
        return name + ('(' + ', '.join(inner) + ')' if inner else '')
    arguments = ['[' + ', '.join(part(*x) for x in b['fields']) + ']']
    arguments += ['type: ' + b['type']] if b['type'] else []
    arguments += ['map: "%s"' % b['map']] if b['map'] else []
    return '  @@%s(%s)' % (b['kind'], ', '.join(arguments))


def render_relations(s, m):
    lines = []
    for r in s['relations']:
        if r['a'] == m['name']:
            q = '' if r['required'] else '?'
            if r['kind'] == 'mn':
                lines.append('  %s %s[] @relation("%s")' % (r['field'], r['b'], r['name']))
            else:
                extra = ''.join([', onDelete: ' + r['delete'] if r['delete'] else '', ', onUpdate: ' + r['update'] if r['update'] else '',
                                 ', map: "%s"' % r['map'] if r['map'] else ''])
                lines.append('  %sId Int%s%s' % (r['field'], q, ' @unique' if r['kind'] == 'one' else ''))
                lines.append('  %s %s%s @relation("%s", fields: [%sId], references: [id]%s)' % (r['field'], r['b'], q, r['name'], r['field'], extra))
        if r['b'] == m['name']:
            lines.append('  %s_back %s%s @relation("%s")' % (r['field'], r['a'], '?' if r['kind'] == 'one' else '[]', r['name']))
    return lines


def render(s):
    out = HEAD
    for e in s['enums']:
        out += 'enum %s {\n%s%s}\n' % (e['name'], ''.join('  %s\n' % v for v, _ in e['values']), '  @@map("%s")\n' % e['map'] if e['map'] else '')
    for m in s['models']:
        lines = ['  id Int' + (' @unique' if m['key'] else ' @id%s' % ('(map: "%s")' % m['keymap'] if m['keymap'] else ''))]
        lines += [render_field(f) for f in m['fields']] + render_relations(s, m)
        lines += [render_block(b) for b in m['blocks'] if b['fields']]
        if m['key']:
            lines.append('  @@id([%s]%s)' % (', '.join(m['key']), ', map: "%s"' % m['keymap'] if m['keymap'] else ''))
        lines += ['  @@map("%s")' % m['map']] if m['map'] else []
        out += 'model %s {\n%s\n}\n' % (m['name'], '\n'.join(lines))
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    make = Make(int(sys.argv[1]))
    for i in range(int(sys.argv[2])):
        a = make.schema()
        b = copy.deepcopy(a)
        for _ in range(make.r.randint(1, 4)):
            make.edit(b)
        a, b = render(a), render(b)
        if i % 2:
            a, b = b, a
        print(json.dumps({'from': a, 'to': b}))


if __name__ == '__main__':
    main()
