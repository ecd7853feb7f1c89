SELECT action, subject, description FROM "Permission" ORDER BY 1, 2;
SELECT name, description FROM "Role" ORDER BY 1;
SELECT r.name, action, subject FROM "RolePermission" JOIN "Role" r ON r.id = "roleId" JOIN "Permission" p ON p.id = "permissionId" ORDER BY 1, 2, 3;
SELECT email, name, password_hash, type, "isActive", length(id), substr(id, 15, 1), "createdAt" IS NOT NULL, "updatedAt" IS NOT NULL FROM users ORDER BY 1;
SELECT email, r.name, x.id ~ '^c' FROM "UserRole" x JOIN users u ON u.id = "userId" JOIN "Role" r ON r.id = "roleId" ORDER BY 1, 2;
