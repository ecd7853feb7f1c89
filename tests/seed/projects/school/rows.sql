SELECT name FROM "Teacher" ORDER BY 1;
SELECT slug, title, published, "startsAt", t.name, "updatedAt" IS NOT NULL FROM "Course" JOIN "Teacher" t ON t.id = "teacherId" ORDER BY 1;
SELECT slug, m.position, m.title, l.position, l.title, minutes, length(l.id) FROM "Lesson" l JOIN "Module" m ON m.id = "moduleId" JOIN "Course" c ON c.id = "courseId" ORDER BY 1, 2, 4;
SELECT c.slug, t.name FROM "_CourseToTopic" x JOIN "Course" c ON c.id = "A" JOIN "Topic" t ON t.id = "B" ORDER BY 1, 2;
