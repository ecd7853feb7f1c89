// One tree, created from its root: the teacher is found or made, topics are shared, modules and lessons belong to the course.
const lessons = (...titles) => ({ create: titles.map((title, i) => ({ position: i + 1, title, minutes: i === 0 ? 10 : null })) })
const course = (slug, title, name, topics, modules) => ({
  slug,
  title,
  published: slug !== 'draft',
  startsAt: new Date('2027-02-01'),
  teacher: { connectOrCreate: { where: { name }, create: { name } } },
  topics: { connectOrCreate: topics.map((topic) => ({ where: { name: topic }, create: { name: topic } })) },
  modules: { create: modules.map(([moduleTitle, ...titles], i) => ({ position: i + 1, title: moduleTitle, lessons: lessons(...titles) })) },
})
const courses = [
  course('sql', 'SQL', 'Ada', ['data', 'basics'], [['Tables', 'Rows', 'Keys'], ['Joins', 'Inner', 'Outer', 'Cross']]),
  course('draft', 'To come', 'Ada', ['basics'], [['Only', 'One']]),
]
for (const data of courses)
  if (!(await prisma.course.findUnique({ where: { slug: data.slug } }))) await prisma.course.create({ data })
