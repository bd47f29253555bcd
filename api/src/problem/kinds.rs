//! Every kind of problem: its status, its code, and its title in both languages.

/// A kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
    /// The Chinese title.
    pub zh: &'static str,
    /// The English title.
    pub en: &'static str,
}

macro_rules! kinds {
    ($( $name:ident = $status:literal, $code:literal, $zh:literal, $en:literal; )+) => {
        $(
            #[doc = $en]
            pub const $name: &Kind = &Kind { status: $status, code: $code, zh: $zh, en: $en };
        )+

        /// Every kind.
        pub const ALL: &[&Kind] = &[ $( $name, )+ ];
    };
}

kinds! {
    MALFORMED_BODY = 400, "malformed_body", "请求内容无法读取", "The body can't be read";
    INVALID_PARAMETER = 400, "invalid_parameter", "请求参数有误", "A parameter is wrong";
    SIGN_IN_NOT_BEGUN = 400, "sign_in_not_begun", "没有与之对应的登录请求", "No sign-in has been begun that this would be the end of";
    INVALID_CURSOR = 422, "invalid_cursor", "游标无效", "The cursor is invalid";
    INVALID_PRECONDITION = 400, "invalid_precondition", "If-Match 或 If-None-Match 无法读取", "If-Match or If-None-Match can't be read";
    INVALID_IDEMPOTENCY_KEY = 400, "invalid_idempotency_key", "Idempotency-Key 无效", "The Idempotency-Key is invalid";
    UNAUTHENTICATED = 401, "unauthenticated", "需要登录", "Sign in first";
    WRONG_CREDENTIALS = 401, "wrong_credentials", "用户名或密码不正确", "Wrong user name or password";
    WRONG_PROOF = 422, "wrong_proof", "密码或验证码不正确", "Wrong password or code";
    SECOND_FACTOR_CODE_REQUIRED = 401, "second_factor_code_required", "需要动态验证码", "A code of the second factor is needed";
    PROVIDER_REFUSED = 401, "provider_refused", "统一身份认证没有确认登录", "The identity provider did not confirm the sign-in";
    IDENTITY_NOT_PROVED = 401, "identity_not_proved", "统一身份认证的答复无法核实", "What the identity provider says does not hold";
    INVALID_REFRESH_TOKEN = 401, "invalid_refresh_token", "刷新令牌无效或已过期", "The refresh token is invalid or has expired";
    FORBIDDEN = 403, "forbidden", "没有权限", "Not allowed";
    NEEDS_MANAGER = 403, "needs_manager", "需要管理员级的项目权限（项目主管）", "Only a manager may do this";
    PASSWORD_CHANGE_REQUIRED = 403, "password_change_required", "须先修改密码", "The password has to be changed first";
    SECOND_FACTOR_REQUIRED = 403, "second_factor_required", "须先设置双因素登录", "A second factor has to be set first";
    SCOPE_MISSING = 403, "scope_missing", "令牌的权限范围不够", "The token's scopes are not enough";
    OWN_ACCOUNT = 403, "own_account", "不能处理自己的账号", "Not for one's own account";
    GUARDED_ACCOUNT = 403, "guarded_account", "安全、审计管理员的登录凭据只能在服务器终端重置", "How security and audit administrators sign in is changed at the terminal only";
    OWN_REQUEST = 403, "own_request", "不能审批自己提出的申请", "Nobody decides what he has asked for himself";
    LOCAL_SIGN_IN_OFF = 403, "local_sign_in_off", "请使用单位的统一身份认证登录", "Sign in at the office's identity provider";
    CROSS_ORIGIN_REFUSED = 403, "cross_origin_refused", "不接受该来源的跨域请求，或其方法、请求头", "This origin, or its method or header, is not allowed here";
    ACCOUNT_DISABLED = 403, "account_disabled", "账号已停用", "The account is disabled";
    NOT_FOUND = 404, "not_found", "没有找到", "Not found";
    METHOD_NOT_ALLOWED = 405, "method_not_allowed", "不支持这种请求方法", "Method not allowed";
    NOT_ACCEPTABLE = 406, "not_acceptable", "无法提供所要求的格式", "Not acceptable";
    BODY_TIMEOUT = 408, "body_timeout", "请求内容传送太慢", "The body came too slowly";
    CODE_TAKEN = 409, "code_taken", "项目代码已被使用", "The project code is taken";
    KEY_TAKEN = 409, "key_taken", "外部标识已被使用", "The key is taken";
    ALREADY_EXISTS = 409, "already_exists", "已经存在", "It exists already";
    STILL_IN_USE = 409, "still_in_use", "仍被引用，不能删除", "Still in use";
    TOO_MANY_WEBHOOKS = 409, "too_many_webhooks", "webhook 太多", "Too many webhooks";
    REQUEST_IN_FLIGHT = 409, "request_in_flight", "同一 Idempotency-Key 的请求正在处理", "A request with this Idempotency-Key is being worked on";
    CONCURRENT_CHANGE = 409, "concurrent_change", "同时有别的改动，请重新读取后再试", "Somebody else changed it at the same time; read it again";
    ADMINISTRATORS_EXCLUDE = 409, "administrators_exclude_each_other", "系统、安全、审计管理员不得由同一人担任", "Nobody is two of the system, security and audit administrators";
    DECIDED_ALREADY = 409, "decided_already", "已经处理过", "It has been decided already";
    PEOPLE_ONLY = 409, "people_only", "管理员角色只授予个人", "Administrators are people, not systems";
    LAST_ADMINISTRATOR = 409, "last_administrator", "至少要保留一名该类管理员", "The last administrator of a kind stays";
    SECOND_FACTOR_SET = 409, "second_factor_set", "已设置双因素登录", "There is a second factor already";
    SECOND_FACTOR_UNSET = 409, "second_factor_unset", "没有待确认的双因素登录", "There is no second factor to confirm or remove";
    STALE = 412, "stale_version", "内容已被别人更改，请重新读取", "It has been changed since; read it again";
    CONTRADICTION = 412, "contradictory_preconditions", "If-Match 与 If-None-Match: * 不能同时成立", "If-Match and If-None-Match: * can't both hold";
    EXISTS = 412, "exists", "已经存在，不能新建", "It exists, so it can't be created";
    BODY_TOO_LARGE = 413, "body_too_large", "请求内容太大", "The body is too large";
    URI_TOO_LONG = 414, "uri_too_long", "请求地址太长", "The address is too long";
    UNSUPPORTED_MEDIA_TYPE = 415, "unsupported_media_type", "不支持这种内容类型", "Unsupported media type";
    FILE_REFUSED = 422, "file_refused", "文件无法导入", "The file can't be taken in";
    IMPORT_RUNNING = 409, "import_running", "导入还在进行", "The import is still going on";
    IMPORT_NOT_COMMITTED = 409, "import_not_committed", "这次导入没有写入，或已撤销", "The import was not taken in, or was taken back";
    BUILT_UPON = 409, "built_upon", "导入后又有改动，不能撤销", "Something was built upon the import, so it can't be taken back";
    TOO_MANY_ROWS = 422, "too_many_rows", "行数太多", "Too many rows";
    NOTHING_PUBLISHED = 422, "nothing_published", "没有可公开的项目", "No project may be told to everybody";
    BATCH_REFUSED = 422, "batch_refused", "整批未执行", "Nothing of the batch was done";
    VALIDATION_FAILED = 422, "validation_failed", "内容不符合要求", "The content is not as it has to be";
    OPENING_CLOSED = 422, "opening_closed", "期初导入已截止", "The opening balance is closed";
    SECRET_PROJECT = 422, "secret_project", "涉密项目不得录入", "Secret projects must not be entered";
    IDEMPOTENCY_KEY_REUSED = 422, "idempotency_key_reused", "同一 Idempotency-Key 已用于另一内容", "The Idempotency-Key was used for other content";
    FAMILY_REFUSED = 422, "family_refused", "不符合项目群的规则", "Against the rules of project families";
    EVIDENCE_IN_USE = 422, "evidence_in_use", "已通过的关口还要依据这些内容", "A gate that was passed rests on this";
    COVER_HAS_NO_STAGE = 422, "cover_has_no_stage", "打捆项目没有自己的阶段", "A cover has no stage of its own";
    COVER_NEEDS_NO_MOVES = 422, "cover_has_moves", "有过阶段变动的项目不能改为打捆项目", "A project that has moved can't become a cover";
    GATE_SHUT = 422, "gate_shut", "条件不满足", "The gate is shut";
    STAGE_SKIPPED = 422, "stage_skipped", "不能跳过阶段", "No stage can be skipped";
    ALREADY_IN_STAGE = 422, "already_in_stage", "已在这一阶段", "It is in this stage already";
    NO_WAY_BACK = 422, "no_way_back", "不能退回以前的阶段，可用更正", "There is no way back; take the move back by a correction";
    PROJECT_SUSPENDED = 422, "project_suspended", "项目处于停缓建", "The project is suspended";
    PROJECT_WITHDRAWN = 422, "project_withdrawn", "项目已退库", "The project is withdrawn";
    PROJECT_COMPLETED = 422, "project_completed", "项目已竣工", "The project is completed";
    NOT_SUSPENDED = 422, "not_suspended", "项目不在停缓建", "The project is not suspended";
    NOT_WITHDRAWN = 422, "not_withdrawn", "项目没有退库", "The project is not withdrawn";
    NOTHING_TO_CORRECT = 422, "nothing_to_correct", "没有可以更正的变动", "There is no move to take back";
    INSIDE_COMPLETED_WHOLE = 422, "inside_completed_whole", "所属项目已竣工", "The whole that it is part of is completed";
    DATE_MISSING = 422, "date_missing", "缺少发生日期", "The date is missing";
    DATE_IN_FUTURE = 422, "date_in_future", "日期不能晚于今天", "The date is in the future";
    MONTH_IN_FUTURE = 422, "month_in_future", "不能填报未来的月份", "The month is in the future";
    DATE_BEFORE_LAST_MOVE = 422, "date_before_last_move", "日期早于上一次变动", "The date is before the last move";
    DATE_NOT_TAKEN = 422, "date_not_taken", "更正没有自己的日期", "A correction has no date of its own";
    REASON_MISSING = 422, "reason_missing", "缺少原因", "The reason is missing";
    EVIDENCE_NOT_IDENTIFIED = 422, "evidence_not_identified", "佐证材料无法查找", "The evidence can't be identified";
    EVIDENCE_NOT_TAKEN = 422, "evidence_not_taken", "这种变动不需要该材料", "This move does not take that evidence";
    PRECONDITION_REQUIRED = 428, "precondition_required", "需要 If-Match 或 If-None-Match", "If-Match or If-None-Match is required";
    TOO_MANY_REQUESTS = 429, "too_many_requests", "请求过于频繁", "Too many requests";
    HEADERS_TOO_LARGE = 431, "headers_too_large", "请求头太大", "The headers are too large";
    LOCKED_OUT = 429, "locked_out", "失败次数过多，暂时锁定", "Too many failures: locked for a while";
    INTERNAL = 500, "internal", "服务出错", "The service failed";
    PROVIDER_UNAVAILABLE = 503, "provider_unavailable", "统一身份认证暂时无法使用", "The identity provider can't be used now";
    UNAVAILABLE = 503, "unavailable", "暂时无法服务，请稍后再试", "Not available now; try again shortly";
}

/// The kind with a code.
#[must_use]
pub fn of_code(code: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.code == code)
}

/// The kind for an answer that was made outside this service's own handlers.
#[must_use]
pub fn of_status(status: u16) -> &'static Kind {
    match status {
        400..=499 => ALL
            .iter()
            .copied()
            .find(|kind| kind.status == status)
            .unwrap_or(MALFORMED_BODY),
        503 => UNAVAILABLE,
        _ => INTERNAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_code_is_told_once() {
        let codes: BTreeSet<_> = ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), ALL.len());
    }
}
