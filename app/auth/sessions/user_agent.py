"""Which browser on which system a User-Agent header says it is, in the names people know."""

# The first that the header contains. Many contain the words of others after their own.
BROWSERS = {
    "MicroMessenger": "WeChat", "QQBrowser": "QQ", "HuaweiBrowser": "Huawei Browser",
    "MiuiBrowser": "Mi Browser", "UCBrowser": "UC", "SamsungBrowser": "Samsung Internet",
    "Edg": "Edge", "OPR": "Opera", "Vivaldi": "Vivaldi", "YaBrowser": "Yandex",
    "Firefox": "Firefox", "FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome",
    "Safari": "Safari", "curl": "curl", "python-requests": "Python",
}  # fmt: skip
SYSTEMS = {
    "HarmonyOS": "HarmonyOS", "OpenHarmony": "HarmonyOS", "Android": "Android",
    "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS",
    "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def read_user_agent(header: str) -> tuple[str, str]:
    """The names of browser and system, each empty if the header has none that we know."""
    browser, system = (
        next((name for word, name in names.items() if word in header), "")
        for names in (BROWSERS, SYSTEMS)
    )
    return browser, system
