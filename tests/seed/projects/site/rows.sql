SELECT id, name, created_at IS NOT NULL, updated_at IS NOT NULL FROM tenants ORDER BY 1;
SELECT tenant_id, key, value, blob FROM settings ORDER BY 1, 2;
SELECT tenant_id, name, enabled, ratio, since, changed_at IS NOT NULL FROM flags ORDER BY 1, 2;
